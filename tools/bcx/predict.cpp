// `bcx predict`: what a trained network says about pictures.

#include <memory>

#include "commands.h"
#include "predict_imagenet.h"

namespace bcx::cli {

void add_predict(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("predict", "What a trained network says about pictures");
  auto options = std::make_shared<ImageNetOptions>();
  command
      ->add_flag("--imagenet", options->imagenet, "Ask a published network for ImageNet's classes")
      ->required();
  command->add_option("PATH", options->paths, "Pictures, or folders of pictures")->required();
  command->add_option("--backbone", options->backbone, "The network")
      ->default_val("tf_efficientnet_lite0")
      ->type_name("NAME");
  command
      ->add_option("--weights", options->weights,
                   "`imagenet`: as `bcx weights fetch` gets them; or a .safetensors file")
      ->default_val("imagenet")
      ->type_name("WEIGHTS");
  command->add_option("--top", options->top, "Classes shown for each picture")
      ->default_val(5)
      ->check(CLI::Range(1, 1000));
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->default_val("auto");
  command->add_option("--plugin-path", options->plugin_folders, "Look here first (repeatable)")
      ->type_name("DIR")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "For programs: an array of objects");
  command->footer("Example:\n  bcx predict --imagenet cat.jpg --top 3");
  command->callback([=, &action] { action = [options] { return predict_imagenet(*options); }; });
}

}  // namespace bcx::cli

// Writes each epoch's metrics to a CSV file in the run's folder, through the host's writer thread.
// The file itself is the state: a resumed run drops the rows that it will write again.
#include <bcx/sdk/plugin.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

#include "csv_file.h"

namespace {

class CsvLog final : public bcx::sdk::Callback {
 public:
  explicit CsvLog(const bcx::sdk::Params& params) : name_(params.get<std::string>("file")) {
    if (name_.empty() || name_ == "." || name_ == ".." || name_.find('/') != std::string::npos)
      throw std::invalid_argument(
          "file must be a plain file name: it goes to the folder of the run");
  }

  void on_run_begin(bcx::sdk::CallbackContext& context) override {
    file_ = std::make_shared<csv_log::CsvFile>(std::filesystem::path(context.run_folder()) / name_);
    context.io([file = file_, first = context.epoch() + 1] { file->resume(first); });
  }

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    context.io([file = file_, epoch = context.epoch() + 1, step = context.step(),
                metrics = context.metrics()] { file->append(epoch, step, metrics); });
  }

  std::string state() const override { return "{}"; }
  void load_state(const std::string&) override {}

 private:
  std::string name_;
  std::shared_ptr<csv_log::CsvFile> file_;  // used on the writer thread only
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<CsvLog>("csv_log"))

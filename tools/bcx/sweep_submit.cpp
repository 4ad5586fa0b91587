// `bcx sweep submit`: a sweep as a Slurm array job, whose tasks draw its trials.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/paths.h"
#include "base/shell.h"
#include "base/text.h"
#include "sweep_commands.h"
#include "sweep_controller.h"
#include "sweep_plan.h"
#include "sweep_slurm.h"
#include "weights/process.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  SweepFileOptions file;
  bool slurm = false, separate = false, shared = false, dry_run = false;
  std::int64_t array = 1, jobs = 1, cpus = 4, warning = 300;
  std::string partition, time, gpus, device, folder;
  std::vector<std::string> sbatch;
};

/// What a program said; throws (other) when it is not here or failed.
std::string output_of(const std::vector<std::string>& command, const std::string& remedy) {
  const auto log = fs::temp_directory_path() / fmt::format("bcx-{}-{}", command[0], getpid());
  const int code = weights::run_process(command, log);
  auto text = code == 127 ? "" : read_text(log, 1 << 20, ExitCode::other);
  std::error_code none;
  fs::remove(log, none);
  if (code == 0) return text;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  throw Error(ExitCode::other, {code == 127 ? command[0] + " was not found"
                                            : command[0] + " failed: " + printable(text),
                                "", remedy});
}

/// Whether this machine is the cluster: only then do all tasks see its disk.
bool is_one_machine() {
  const auto nodes = output_of({"sinfo", "--noheader", "--Node", "--format", "%N"},
                               "Slurm's commands are needed here (sinfo, sbatch)");
  std::string host(256, '\0');
  gethostname(host.data(), host.size());
  host = host.substr(0, std::min(host.find('\0'), host.find('.')));
  for (const auto& node : split(nodes, '\n'))
    if (!node.empty() && node.substr(0, node.find('.')) != host) return false;
  return true;
}

std::string script_text(const Options& options, const sweep::Ledger& ledger, const fs::path& folder,
                        const std::string& work) {
  std::string text = "#!/bin/bash\n";
  const auto add = [&](const std::string& option) { text += "#SBATCH " + option + "\n"; };
  add(fmt::format("--job-name=bcx-{}", ledger.sweep().short_id));
  add(fmt::format("--array=0-{}", options.array - 1));
  add(fmt::format("--output=\"{}/slurm-%A_%a.log\"", folder.string()));
  add("--open-mode=append");
  add("--requeue");
  add("--nodes=1");
  add("--ntasks=1");
  add(fmt::format("--cpus-per-task={}", options.cpus));
  add(fmt::format("--signal=B:USR2@{}", options.warning));
  if (!options.partition.empty()) add("--partition=" + options.partition);
  if (!options.time.empty()) add("--time=" + options.time);
  if (!options.gpus.empty()) add("--gpus-per-task=" + options.gpus);
  for (const auto& one : options.sbatch) add(one);
  text += R"(
# Slurm warns before the time limit: the trials save, and the task queues again. When the job is
# cancelled Slurm signals every process itself.
requeue=0
trap 'requeue=1; kill -TERM "$worker"' USR2
trap : TERM
)" + work +
          R"( &
worker=$!
while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done
wait "$worker"
code=$?
if [ $requeue = 1 ] && [ $code = 75 ]; then
  exec scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
)";
  return text;
}

/// Something that would end its line, and the options with it.
void check_words(const Options& options) {
  std::vector<std::string> words = options.sbatch;
  words.insert(words.end(), {options.partition, options.time, options.gpus, options.folder});
  for (const auto& word : words)
    if (std::any_of(word.begin(), word.end(), [](unsigned char c) { return c < ' '; }))
      throw Error(ExitCode::usage, {"a control character in " + printable(word), "", ""});
}

/// Tasks that run each other's trials would run them twice.
void refuse_second_job(const sweep::Ledger& ledger) {
  const auto before = slurm_job(ledger);
  if (!before || !queued_tasks(*before)) return;
  throw Error(ExitCode::usage,
              {fmt::format("Slurm job {} works at this sweep", before->job), ledger.sweep().name,
               fmt::format("wait for it (bcx sweep status {}), or stop it: scancel {}",
                           ledger.sweep().short_id, before->job)});
}

void say_separate(const sweep::Plan& plan, const fs::path& folder) {
  fmt::print(stderr, "tracker  one for each task, on its node; results come back through {}\n",
             printable(folder.string()));
  if (plan.pruner.name != "none")
    fmt::print(stderr,
               "warning: {} compares a task's trials with each other, not with other tasks'\n",
               plan.pruner.name);
}

int submit(const Options& options) {
  check_words(options);
  if (options.separate && options.shared)
    throw Error(ExitCode::usage, {"--separate and --shared exclude each other", "", ""});
  auto file = load_sweep_file(options.file);
  auto& plan = file.plan;
  if (plan.threads == 0) plan.threads = std::max<std::int64_t>(1, options.cpus / options.jobs);
  print_plan(plan, file.warnings, options.array * options.jobs);
  const bool separate = options.separate || (!options.shared && !is_one_machine());
  auto ledger = sweep::Ledger::begin(
      file.experiment.tracker, plan,
      options.file.another ? sweep::Ledger::Begin::another : sweep::Ledger::Begin::go_on);
  refuse_second_job(ledger);
  collect_results(ledger.database(), ledger.sweep().id, Queued::tell);
  ledger.set_status("running");

  const auto folder =
      separate ? fs::absolute(options.folder.empty() ? "bcx-sweep-" + ledger.sweep().short_id
                                                     : options.folder)
               : ledger.folder();
  fs::create_directories(folder);
  std::string work = shell_word(executable_path().string());
  if (separate) {
    const auto all = ledger.trials();
    write_parts(ledger,
                {ledger.sweep().id, options.array, all.empty() ? 0 : all.back().number() + 1,
                 options.jobs, options.device},
                folder);
    work += fmt::format(" sweep task {} \"$SLURM_ARRAY_TASK_ID\"", shell_word(folder.string()));
    say_separate(plan, folder);
  } else {
    work += fmt::format(" sweep resume {} --tracker {} --jobs {}", ledger.sweep().id,
                        shell_word(fs::absolute(ledger.database()).string()), options.jobs);
    if (!options.device.empty()) work += " --device " + shell_word(options.device);
  }
  const auto script = folder / "job.sh";
  write_atomically(script, script_text(options, ledger, folder, work));
  if (options.dry_run) {
    fmt::print("{}", read_text(script, 1 << 20, ExitCode::other));
    return 0;
  }
  auto job = output_of({"sbatch", "--parsable", script.string()}, "see " + script.string());
  job = job.substr(0, job.find_first_of(";\n"));
  write_slurm_job(ledger, {job, separate ? folder : fs::path()});
  fmt::print("{}\n", job);
  fmt::print(stderr, "submitted Slurm job {}, {} task{}; bcx sweep status {} shows how it goes\n",
             job, options.array, options.array == 1 ? "" : "s", ledger.sweep().short_id);
  return 0;
}

}  // namespace

void add_sweep_slurm(CLI::App& group, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = group.add_subcommand(
      "submit", "Run a sweep, or go on with it, as a Slurm array job whose tasks draw trials");
  add_sweep_file_options(*command, options->file);
  command->add_flag("--slurm", options->slurm, "The engine: Slurm")->required();
  command->add_option("--array", options->array, "Tasks (default: 1)")->check(CLI::Range(1, 10000));
  command->add_option("--jobs,-j", options->jobs, "Trials at a time in each task (default: 1)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--cpus", options->cpus, "Cores of each task (default: 4)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--gpus", options->gpus, "GPUs of each task: 1, a100:2")->type_name("N");
  command->add_option("--partition", options->partition, "Slurm's partition");
  command
      ->add_option("--time", options->time,
                   "Time limit of a task, 4:00:00; it saves and queues again before that")
      ->type_name("TIME");
  command
      ->add_option("--warning", options->warning,
                   "Seconds before the limit at which trials save (default: 300)")
      ->check(CLI::Range(1, 65535));
  command->add_option("--sbatch", options->sbatch, "Any other option of sbatch, --account=path")
      ->type_name("OPTION");
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command->add_flag("--separate", options->separate,
                    "A tracker for each task, on its node's disk, and results through files: the "
                    "default where the cluster is more than this machine");
  command->add_flag("--shared", options->shared,
                    "All tasks write the sweep's tracker: only where every node sees its disk and "
                    "that is no network file system");
  command
      ->add_option("--folder", options->folder,
                   "Where results come back, seen by all nodes (default: ./bcx-sweep-ID)")
      ->type_name("DIR");
  command->add_flag("--dry-run", options->dry_run, "Print the job's script, submit nothing");
  command->footer(
      "Example: bcx sweep submit experiments/sweeps/batch_size_x_learning_rate.toml --slurm \\\n"
      "           --array 8 --partition gpu --gpus 1 --time 4:00:00");
  command->callback([&action, options] { action = [options] { return submit(*options); }; });

  struct TaskOptions {
    std::string folder;
    std::int64_t part = 0;
  };
  auto task = std::make_shared<TaskOptions>();
  auto* part = group.add_subcommand("task", "One task of a submitted sweep")->group("");
  part->add_option("FOLDER", task->folder)->required();
  part->add_option("PART", task->part)->required();
  part->callback(
      [&action, task] { action = [task] { return work_at_part(task->folder, task->part); }; });
}

}  // namespace bcx::cli

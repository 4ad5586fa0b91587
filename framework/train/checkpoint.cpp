#include "train/checkpoint.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/text.h"

namespace bcx::train {
namespace {

constexpr std::size_t kept_last = 2;
constexpr const char* average_prefix = "ema.";

weights::DType dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble:
      return weights::DType::f64;
    case at::kFloat:
      return weights::DType::f32;
    case at::kHalf:
      return weights::DType::f16;
    case at::kBFloat16:
      return weights::DType::bf16;
    case at::kLong:
      return weights::DType::i64;
    case at::kInt:
      return weights::DType::i32;
    case at::kByte:
      return weights::DType::u8;
    case at::kBool:
      return weights::DType::boolean;
    default:
      throw Error(ExitCode::plugin, fmt::format("state of type {} cannot be saved",
                                                c10::toString(tensor.scalar_type())));
  }
}

at::Tensor host_copy(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).contiguous().clone();
}

/// A view of the file's bytes as a tensor; valid while the file is open.
at::Tensor borrow(const weights::TensorView& view, at::ScalarType type) {
  // safetensors aligns nothing, so the bytes are copied.
  auto tensor = at::empty(view.shape, type);
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

const weights::TensorView& require(const weights::SafetensorsFile& file, const std::string& name,
                                   at::IntArrayRef shape, weights::DType type) {
  const std::string where = printable(file.path().string());
  const auto* view = file.find(name);
  if (!view)
    throw Error(ExitCode::data, {fmt::format("holds no tensor \"{}\"", name), where,
                                 "it was written for another model or optimizer"});
  if (view->dtype != type || at::IntArrayRef(view->shape) != shape)
    throw Error(ExitCode::data,
                {fmt::format("tensor \"{}\" is {} {}, expected {} {}", name,
                             weights::name_of(view->dtype), weights::text_of(view->shape),
                             weights::name_of(type), weights::text_of(shape.vec())),
                 where, "it was written for another model or optimizer"});
  return *view;
}

void add_model(Snapshot& snapshot, const std::string& prefix,
               const model::FlatParameters& parameters, const at::Tensor& values,
               const at::Tensor& buffers) {
  // From a GPU in two copies instead of one for each entry.
  const auto host_values = values.to(at::kCPU), host_buffers = buffers.to(at::kCPU);
  for (const auto& entry : parameters.parameters())
    snapshot.items.push_back(
        {prefix + entry.name, model::FlatParameters::read(entry, host_values)});
  for (const auto& entry : parameters.statistics())
    snapshot.items.push_back(
        {prefix + entry.name, model::FlatParameters::read(entry, host_buffers)});
}

void restore_flat(const weights::SafetensorsFile& file, const std::string& prefix,
                  const model::FlatParameters& parameters, const at::Tensor& values,
                  const at::Tensor& buffers) {
  const auto read = [&](const std::vector<model::Entry>& entries, const at::Tensor& flat) {
    for (const auto& entry : entries) {
      const auto& view = require(file, prefix + entry.name, entry.shape, dtype_of(flat));
      model::FlatParameters::write(entry, flat, borrow(view, flat.scalar_type()));
    }
  };
  read(parameters.parameters(), values);
  read(parameters.statistics(), buffers);
}

void restore_named(const weights::SafetensorsFile& file, const std::string& prefix,
                   const std::vector<sdk::NamedTensor>& state) {
  torch::NoGradGuard no_grad;
  for (const auto& item : state) {
    const auto& view =
        require(file, prefix + item.name, item.tensor.sizes(), dtype_of(item.tensor));
    item.tensor.copy_(borrow(view, item.tensor.scalar_type()));
  }
}

void require_finite_model(const Snapshot& snapshot) {
  const auto what = not_finite_in(snapshot);
  if (what.empty()) return;
  throw Error(ExitCode::data, {what + "; this state is not saved",
                               fmt::format("checkpoint at step {}", snapshot.cursor.step),
                               "lower optimizer.learning_rate or set train.clip_norm"});
}

}  // namespace

Snapshot take_snapshot(const model::FlatParameters& parameters, sdk::Optimizer& optimizer,
                       StepExecutor& step) {
  torch::NoGradGuard no_grad;
  Snapshot snapshot;
  add_model(snapshot, "model.", parameters, parameters.values(), parameters.buffers());
  if (step.average_values().defined())
    add_model(snapshot, average_prefix, parameters, step.average_values(), step.average_buffers());
  for (const auto& item : optimizer.state())
    snapshot.items.push_back({"optimizer." + item.name, host_copy(item.tensor)});
  for (const auto& item : step.state())
    snapshot.items.push_back({"step." + item.name, host_copy(item.tensor)});
  return snapshot;
}

std::string not_finite_in(const Snapshot& snapshot) {
  for (const auto& item : snapshot.items)
    if (item.name.starts_with("model.") && !item.tensor.isfinite().all().item<bool>())
      return fmt::format("\"{}\" holds a value that is not finite", item.name.substr(6));
  return {};
}

bool holds_average(const weights::SafetensorsFile& file) {
  return std::any_of(file.tensors().begin(), file.tensors().end(),
                     [](const auto& tensor) { return tensor.name.starts_with(average_prefix); });
}

void restore_model(const weights::SafetensorsFile& file, std::string_view prefix,
                   const model::FlatParameters& parameters) {
  restore_flat(file, std::string(prefix), parameters, parameters.values(), parameters.buffers());
}

void restore(const weights::SafetensorsFile& file, const model::FlatParameters& parameters,
             sdk::Optimizer& optimizer, StepExecutor& step) {
  restore_model(file, "model.", parameters);
  if (holds_average(file)) {
    step.average_weights(1.0);  // makes it
    restore_flat(file, average_prefix, parameters, step.average_values(), step.average_buffers());
  }
  restore_named(file, "optimizer.", optimizer.state());
  restore_named(file, "step.", step.state());
}

CheckpointStore::CheckpointStore(std::filesystem::path folder, tracker::RunWriter& tracker)
    : folder_(std::move(folder)), tracker_(tracker) {
  std::filesystem::create_directories(folder_);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const auto name = entry.path().filename().string();
    // Of a process that was killed while it wrote: nobody else writes here now.
    std::error_code ignored;
    if (name.starts_with(".") && name.ends_with(".tmp"))
      std::filesystem::remove(entry.path(), ignored);
    if (name.starts_with("last-") && name.ends_with(".safetensors")) last_.push_back(entry.path());
  }
  std::sort(last_.begin(), last_.end());
}

CheckpointStore::~CheckpointStore() {
  if (writing_.valid()) writing_.wait();
}

void CheckpointStore::wait() {
  if (writing_.valid()) writing_.get();
}

void CheckpointStore::check() {
  if (writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    writing_.get();
}

std::vector<std::filesystem::path> CheckpointStore::good() const {
  std::vector<std::pair<std::int64_t, std::filesystem::path>> found;
  for (const auto& [path, step] : written_)
    if (std::filesystem::exists(path)) found.emplace_back(step, path);
  std::sort(found.rbegin(), found.rend());
  std::vector<std::filesystem::path> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

void CheckpointStore::save(Snapshot snapshot, const std::string& tag, const std::string& metric,
                           std::optional<double> value) {
  wait();
  require_finite_model(snapshot);
  writing_ = std::async(std::launch::async,
                        [this, snapshot = std::move(snapshot), tag, metric, value]() mutable {
                          // Moved on, so that its memory goes back with the last byte and not at
                          // the next save.
                          write(std::move(snapshot), tag, metric, value);
                        });
}

void CheckpointStore::write(Snapshot snapshot, const std::string& tag, const std::string& metric,
                            std::optional<double> value) {
  // Zero-padded, so that names sort by step; "-" before the "." of the epoch's end, whose step it
  // is.
  const auto path = this->path(
      tag == "last" ? fmt::format("last-{:010}{}", snapshot.cursor.step,
                                  snapshot.manifest.contains("validating") ? "-validating" : "")
                    : tag);
  std::vector<weights::TensorView> views;
  for (const auto& item : snapshot.items)
    views.push_back(
        {item.name,
         dtype_of(item.tensor),
         item.tensor.sizes().vec(),
         {static_cast<const std::byte*>(item.tensor.const_data_ptr()), item.tensor.nbytes()}});
  auto metadata = snapshot.metadata;
  metadata["bcx.checkpoint"] = snapshot.manifest.dump();
  const auto written = weights::write_safetensors(path, views, metadata);
  tracker_.checkpoint({.cursor = snapshot.cursor,
                       .path = path.string(),
                       .tag = tag,
                       .bytes = static_cast<std::int64_t>(written.size),
                       .sha256 = written.sha256,
                       .metric = metric,
                       .value = value});
  written_[path] = snapshot.cursor.step;
  if (tag != "last") return;
  std::erase(last_, path);
  last_.push_back(path);
  rotate();
}

void CheckpointStore::remove(const std::string& tag) {
  wait();
  std::error_code ignored;
  if (std::filesystem::remove(path(tag), ignored)) tracker_.checkpoint_removed(path(tag));
}

void CheckpointStore::rotate() {
  while (last_.size() > kept_last) {
    std::error_code ignored;
    std::filesystem::remove(last_.front(), ignored);
    tracker_.checkpoint_removed(last_.front());
    last_.erase(last_.begin());
  }
}

}  // namespace bcx::train

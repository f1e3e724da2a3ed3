// What a supervisor has been given and has not acted on yet, in the order of arrival.
//
// The inputs are in chunks, so that none moves while the supervisor acts on it. The first chunk and a few more are
// kept; the memory that a storm needed is freed when the storm is over.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

struct Input {
  enum class Kind : std::uint8_t {
    warn,
    added,
    first_start,
    run_ended,
    late_end,
    command,
    shutdown,
    all_terminated,
    end_drain,
    run_warned,
    signal_ignored,
    recording_failed,
    abandon_rest,
    became_ready,
    order_changed,
    group_added,
    fleet_ends,
    reconfigured,
    forget
  };
  Kind kind;
  Command command = Command::stop;
  ShutdownCause cause = ShutdownCause::requested;  // of a shutdown, of the end of a drain; a signal
  std::uint32_t tenancy = 0;                       // of the record, at the time of the input; the number of a group
  RunNumber run = {};               // a command: the latest at the time of the input; a late end, a ready: whose it is
  ServiceRecord* record = nullptr;  // the service it is about, if any
  // Of a run that did not end cleanly; what a run warns of; of the recording.
  [[no_unique_address]] Error error = {};
  // Of a run that ended. These fill the bytes that the error leaves free.
  Outcome outcome = Outcome::clean;
  std::int16_t exit_status = Exit::kNoStatus;
};

// The signal among the causes; nullopt: it was none.
inline std::optional<ShutdownCause> signal_of(ShutdownCause cause) noexcept {
  return is_signal(cause) ? std::optional{cause} : std::nullopt;
}

class InputQueue {
 public:
  InputQueue() : first_(new Chunk), last_(first_) { rewind(); }
  InputQueue(const InputQueue&) = delete;
  InputQueue& operator=(const InputQueue&) = delete;
  ~InputQueue();

  [[nodiscard]] bool empty() const noexcept { return read_ == write_; }

  // The input stays where it is until it is dropped. If it throws std::bad_alloc, nothing has happened.
  Input& push(Input&& input) {
    if (write_ == last_->end()) [[unlikely]]
      add_chunk();
    return *new (write_++) Input(std::move(input));
  }

  // The oldest. REQUIRES: !empty().
  [[nodiscard]] Input& front() noexcept {
    if (read_ == reads_->end()) [[unlikely]]
      read_next_chunk();
    return *read_;
  }
  // REQUIRES: front() was called since the last one was dropped.
  void drop_front() noexcept {
    std::destroy_at(read_++);
    if (empty()) rewind();
  }

 private:
  static constexpr std::size_t kChunkInputs = 102;  // with the link 4 KiB
  static constexpr std::size_t kChunksKept = 8;
  struct Chunk {
    Chunk* next = nullptr;
    alignas(Input) std::byte room[kChunkInputs * sizeof(Input)];  // NOLINT(modernize-avoid-c-arrays)
    [[nodiscard]] Input* begin() noexcept { return reinterpret_cast<Input*>(room); }
    [[nodiscard]] Input* end() noexcept { return begin() + kChunkInputs; }
  };

  void rewind() noexcept {
    if (last_ != first_) [[unlikely]]
      forget_storm();
    reads_ = last_ = first_;
    read_ = write_ = first_->begin();
  }
  void add_chunk();
  void read_next_chunk() noexcept;
  void forget_storm() noexcept;

  Chunk* first_;
  Chunk* last_;             // the one that is written; those after it are empty
  Chunk* reads_ = nullptr;  // the one that is read
  Input* read_ = nullptr;
  Input* write_ = nullptr;
};

}  // namespace holdfast::detail

#include <holdfast/timer_queue.hpp>

namespace holdfast {

namespace {

constexpr std::size_t kArity = 4;
constexpr std::size_t kDisarmedMin = 64;  // entries of disarmed timers that are not worth a clean-up

}  // namespace

void TimerQueue::arm(Timer& timer, TimePoint at) {
  HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
  HOLDFAST_ASSERT(armed_ < Timer::kNotArmed, "too many timers are armed");
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    free_slots_.reserve(slots_.capacity());  // so that disarming never allocates
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  const Entry entry{at, next_sequence_++, slot};
  slots_[slot] = {&timer, entry.sequence};
  timer.slot_ = slot;
  ++armed_;
  if (top_is_vacant_) {
    top_is_vacant_ = false;
    sift_down(0, entry);
  } else {
    heap_.push_back(entry);
    sift_up(heap_.size() - 1, entry);
  }
}

bool TimerQueue::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return false;
  release(timer);
  if (heap_.size() > 2 * armed_ + kDisarmedMin) drop_disarmed();
  return true;
}

void TimerQueue::fire_earliest() {
  settle();
  Timer& timer = *slots_[heap_.front().slot].timer;
  release(timer);
  top_is_vacant_ = true;
  timer.fired();
}

void TimerQueue::clear() noexcept {
  for (const auto& slot : slots_) {
    if (slot.sequence != kNone) release(*slot.timer);
  }
  heap_.clear();
  top_is_vacant_ = false;
}

void TimerQueue::release(Timer& timer) noexcept {
  slots_[timer.slot_].sequence = kNone;
  free_slots_.push_back(timer.slot_);
  timer.slot_ = Timer::kNotArmed;
  --armed_;
}

void TimerQueue::close_top() noexcept {
  top_is_vacant_ = false;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
}

void TimerQueue::drop_disarmed() noexcept {
  if (top_is_vacant_) close_top();
  std::erase_if(heap_, [this](const Entry& entry) { return !is_armed(entry); });
  for (std::size_t position = heap_.size() / kArity + 1; position-- > 0;) {
    if (position < heap_.size()) sift_down(position, Entry{heap_[position]});
  }
}

void TimerQueue::sift_up(std::size_t position, const Entry& entry) noexcept {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    heap_[position] = heap_[parent];
    position = parent;
  }
  heap_[position] = entry;
}

void TimerQueue::sift_down(std::size_t position, const Entry& entry) noexcept {
  const std::size_t size = heap_.size();
  for (;;) {
    const std::size_t first = position * kArity + 1;
    if (first >= size) break;
    const std::size_t end = first + kArity < size ? first + kArity : size;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(entry)) break;
    heap_[position] = heap_[least];
    position = least;
  }
  heap_[position] = entry;
}

void TaskQueue::push(Task& task) noexcept {
  HOLDFAST_ASSERT(!task.queued_, "a task was deferred twice");
  task.queued_ = true;
  task.next_ = nullptr;
  (last_ ? last_->next_ : first_) = &task;
  last_ = &task;
}

bool TaskQueue::cancel(Task& task) noexcept {
  if (!task.queued_) return false;
  Task* before = nullptr;
  for (Task* at = first_; at != &task; at = at->next_) before = at;
  (before ? before->next_ : first_) = task.next_;
  if (last_ == &task) last_ = before;
  task.queued_ = false;
  return true;
}

void TaskQueue::run_oldest() {
  Task& task = *first_;
  first_ = task.next_;
  if (!first_) last_ = nullptr;
  task.queued_ = false;
  task.run();
}

void TaskQueue::clear() noexcept {
  for (Task* at = first_; at; at = at->next_) at->queued_ = false;
  first_ = last_ = nullptr;
}

}  // namespace holdfast

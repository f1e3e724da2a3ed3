#include <holdfast/timer_queue.hpp>

namespace holdfast {

namespace {

constexpr std::size_t kArity = 4;

}  // namespace

void TimerQueue::arm(Timer& timer, TimePoint at) {
  HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
  HOLDFAST_ASSERT(heap_.size() < Timer::kNotArmed, "too many timers are armed");
  const Entry entry{at, next_sequence_++, &timer};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
}

bool TimerQueue::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return false;
  take_out(timer.position_);
  return true;
}

void TimerQueue::fire_earliest() {
  Timer& timer = *heap_.front().timer;
  take_out(0);
  timer.fired();
}

void TimerQueue::clear() noexcept {
  for (const auto& entry : heap_) entry.timer->position_ = Timer::kNotArmed;
  heap_.clear();
}

void TimerQueue::place(std::size_t position, const Entry& entry) noexcept {
  heap_[position] = entry;
  entry.timer->position_ = static_cast<std::uint32_t>(position);
}

void TimerQueue::sift_up(std::size_t position, const Entry& entry) noexcept {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
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
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

void TimerQueue::take_out(std::size_t position) noexcept {
  heap_[position].timer->position_ = Timer::kNotArmed;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  const bool rises = position > 0 && last.before(heap_[(position - 1) / kArity]);
  if (rises) {
    sift_up(position, last);
  } else {
    sift_down(position, last);
  }
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

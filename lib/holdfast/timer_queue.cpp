#include <holdfast/timer_queue.hpp>

namespace holdfast {

namespace {

constexpr std::size_t kArity = 4;
constexpr std::size_t kDisarmedMin = 64;  // disarmed entries that are not worth a clean-up

}  // namespace

void TimerQueue::arm(Timer& timer, TimePoint at) {
  HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
  const Entry entry{at, next_sequence_++, &timer};
  timer.sequence_ = entry.sequence;
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
  disarmed_.insert(timer.sequence_);
  timer.sequence_ = Timer::kNotArmed;
  if (disarmed_.size() > size() + kDisarmedMin) drop_disarmed();
  return true;
}

void TimerQueue::fire_earliest() {
  settle();
  Timer& timer = *heap_.front().timer;
  timer.sequence_ = Timer::kNotArmed;
  top_is_vacant_ = true;
  // One of these is probably the next: let it come while this one works.
  for (std::size_t child = 1; child <= kArity && child < heap_.size(); ++child) __builtin_prefetch(heap_[child].timer);
  timer.fired();
}

void TimerQueue::clear() noexcept {
  drop_disarmed();
  for (const auto& entry : heap_) entry.timer->sequence_ = Timer::kNotArmed;
  heap_.clear();
}

void TimerQueue::close_top() noexcept {
  top_is_vacant_ = false;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
}

void TimerQueue::drop_disarmed() noexcept {
  if (top_is_vacant_) close_top();
  std::erase_if(heap_, [this](const Entry& entry) { return disarmed_.erase(entry.sequence); });
  for (std::size_t position = heap_.size(); position-- > 0;) sift_down(position, Entry{heap_[position]});
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

#include <holdfast/detail/input_queue.hpp>

namespace holdfast::detail {

InputQueue::~InputQueue() {
  while (!empty()) {
    (void)front();
    drop_front();
  }
  for (Chunk* chunk = first_; chunk;) delete std::exchange(chunk, chunk->next);
}

void InputQueue::add_chunk() {
  if (!last_->next) last_->next = new Chunk;
  last_ = last_->next;
  write_ = last_->begin();
}

void InputQueue::read_next_chunk() noexcept {
  reads_ = reads_->next;
  read_ = reads_->begin();
}

// Keeps a few chunks.
void InputQueue::forget_storm() noexcept {
  Chunk* last_kept = first_;
  for (std::size_t kept = 1; kept < kChunksKept && last_kept->next; ++kept) last_kept = last_kept->next;
  for (Chunk* chunk = std::exchange(last_kept->next, nullptr); chunk;) delete std::exchange(chunk, chunk->next);
}

}  // namespace holdfast::detail

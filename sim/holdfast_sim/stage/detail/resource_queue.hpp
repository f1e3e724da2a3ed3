// A resource at work: which clients have a slot, which wait for one, and which is next.
//
// The clients are simulated services; tests bring their own. A client has
//   bool wants(std::uint64_t run) const;  whether this run still waits
//   void begins();                        it has left the queue: it is being served
//   void served(std::uint64_t run);       it has been served; called for a client that wants it only
//
// Every request has its length of time when it comes, so that no draw depends on who else is there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <holdfast/detail/assert.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast_sim/scenario/resource.hpp>

namespace holdfast::sim {

template <class Client>
class ResourceQueue {
 public:
  enum class Answer : std::uint8_t { served, waits, refused };

  // All outlive the queue.
  ResourceQueue(Scheduler& scheduler, const Resource& resource) : scheduler_(scheduler), resource_(resource) {}
  ~ResourceQueue() {
    for (Slot& slot : slots_) scheduler_.disarm(slot);
  }
  ResourceQueue(const ResourceQueue&) = delete;
  ResourceQueue& operator=(const ResourceQueue&) = delete;

  [[nodiscard]] const Resource& resource() const noexcept { return resource_; }

  // A run that needs a slot for so long; nullopt: until it gives it back. The client outlives the queue.
  Answer ask(Client& client, std::uint64_t run, std::optional<Duration> takes) {
    const Request request{&client, run, takes};
    if (busy_ < limit() && waiting_.empty()) return begin(request) ? Answer::served : Answer::waits;
    if (resource_.queue && waiting() >= *resource_.queue) return Answer::refused;
    waiting_.push_back(request);
    return Answer::waits;
  }

  // A client no longer waits. `has_begun`: it was being served.
  void give_up(bool has_begun) noexcept {
    if (!has_begun) ++stale_;
  }

  // A client has no use any more for the slot that it had until it gives it back.
  void give_back() {
    --busy_;
    serve();
  }

  // At most so many slots from now on, until the limit with this number is lifted; a run that has one keeps it.
  void limit(std::uint32_t number, std::uint32_t slots) { limits_[number] = slots; }
  void lift_limit(std::uint32_t number) {
    limits_.erase(number);
    serve();
  }

  [[nodiscard]] std::uint64_t waiting() const noexcept {
    return waiting_.size() - (resource_.stale == Stale::dropped ? stale_ : 0);
  }
  [[nodiscard]] std::uint64_t busy() const noexcept { return busy_; }

 private:
  struct Request {
    Client* client;
    std::uint64_t run;
    std::optional<Duration> takes;
  };

  class Slot final : public Timer {
   public:
    explicit Slot(ResourceQueue& queue) : queue_(queue) {}

    Request request{};

   private:
    void fired() override { queue_.finish(*this); }

    ResourceQueue& queue_;
  };

  [[nodiscard]] std::uint64_t limit() const noexcept {
    std::uint32_t least = resource_.slots;
    for (const auto& [number, slots] : limits_) least = std::min(least, slots);
    return least;
  }

  // Whether that is all, so that it has been served.
  bool begin(const Request& request) {
    if (request.takes == Duration::zero()) return true;
    ++busy_;
    request.client->begins();
    if (!request.takes) return true;
    Slot& slot = free_slot();
    slot.request = request;
    scheduler_.arm(slot, scheduler_.now() + *request.takes);
    return false;
  }

  Slot& free_slot() {
    if (free_.empty()) return slots_.emplace_back(*this);
    Slot& slot = *free_.back();
    free_.pop_back();
    return slot;
  }

  void finish(Slot& slot) {
    --busy_;
    free_.push_back(&slot);
    tell(slot.request);
    serve();
  }

  static void tell(const Request& request) {
    if (request.client->wants(request.run)) request.client->served(request.run);
  }

  // A client that is served may give its slot back at once, and then calls this function again.
  void serve() {
    if (std::exchange(is_serving_, true)) return;
    while (busy_ < limit() && !waiting_.empty()) serve_next();
    is_serving_ = false;
  }

  void serve_next() {
    const bool from_front = resource_.next == ServedNext::oldest;
    Request request = from_front ? waiting_.front() : waiting_.back();
    from_front ? waiting_.pop_front() : waiting_.pop_back();
    if (!request.client->wants(request.run)) {
      --stale_;
      if (resource_.stale == Stale::dropped || !request.takes) return;
      occupy(request);
    } else if (begin(request)) {
      tell(request);
    }
  }

  // Work whose client has gone occupies the slot for a while.
  void occupy(const Request& request) {
    if (request.takes == Duration::zero()) return;
    ++busy_;
    Slot& slot = free_slot();
    slot.request = request;
    scheduler_.arm(slot, scheduler_.now() + *request.takes);
  }

  Scheduler& scheduler_;
  const Resource& resource_;
  std::map<std::uint32_t, std::uint32_t> limits_;  // slots by number
  std::uint64_t busy_ = 0;
  std::uint64_t stale_ = 0;      // of those in the queue
  std::deque<Request> waiting_;  // in the order of their coming
  std::deque<Slot> slots_;
  std::vector<Slot*> free_;
  bool is_serving_ = false;
};

}  // namespace holdfast::sim

// How many probes are under way in an io_context, so that a fleet of thousands takes a bounded number of descriptors.
//
// Thread-safety: safe anywhere.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

namespace holdfast::detail {

class ProbePlaces final : public boost::asio::execution_context::service {
 public:
  using key_type = ProbePlaces;
  static boost::asio::execution_context::id id;  // Asio asks for this name

  explicit ProbePlaces(boost::asio::execution_context& context) : service(context) {}
  static ProbePlaces& of(const boost::asio::any_io_executor& executor);

  // Given back by its destructor.
  class Place {
   public:
    explicit Place(ProbePlaces& of) noexcept : of_(&of) {}
    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (of_ != nullptr) of_->give_back();
    }

   private:
    ProbePlaces* of_;
  };

  // nullopt: all are taken. Then `when_free` is called once, on any thread, in the order of asking, if `who` is alive.
  std::optional<Place> take(const std::weak_ptr<void>& who, std::function<void(Place)> when_free);

 private:
  struct Waiting {
    std::weak_ptr<void> who;
    std::function<void(Place)> when_free;
  };

  void shutdown() noexcept override;
  void give_back() noexcept;

  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace holdfast::detail

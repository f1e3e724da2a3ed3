// Does work in pieces, one a round: each waiter gets a turn of its own, and everything else that is ready on the
// executor gets one before the next waiter does.
//
// So clients delay a service by one piece at a time, however many they are.
//
// Thread-safety: none; all on the executor.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>

namespace holdfast::detail {

class Turns : public std::enable_shared_from_this<Turns> {
 public:
  explicit Turns(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // Completes with void(error_code) when the caller has its turn; turns come in the order of asking. After close() it
  // never completes: the handler is destroyed.
  template <class Token>
  auto async_turn(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [](auto&& handler, const std::shared_ptr<Turns>& turns) {
          if (turns->waiting_.closed()) return;
          enter(turns->waiting_, std::nullopt, std::forward<decltype(handler)>(handler), turns->executor_);
          turns->ask_for_round();
        },
        token, shared_from_this());
  }

  void close() noexcept { waiting_.close(); }

 private:
  void ask_for_round();
  void go_round();

  const boost::asio::any_io_executor executor_;
  WaitingRoom waiting_{nullptr};
  bool is_asked_for_ = false;
};

}  // namespace holdfast::detail

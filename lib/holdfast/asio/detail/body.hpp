// What a user gives as an awaitable service, brought into one form: a factory of instances, one for each run.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

// A run of it: what the user's coroutine returned, not yet resumed.
using Begun = std::variant<boost::asio::awaitable<void>, boost::asio::awaitable<Exit>>;

// One instance, for one run.
class Body {
 public:
  Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  virtual ~Body() = default;
  virtual Begun run(Context& context) = 0;
};

template <class Awaitable>
concept AwaitsAnEnd =
    std::same_as<Awaitable, boost::asio::awaitable<void>> || std::same_as<Awaitable, boost::asio::awaitable<Exit>>;

// awaitable<void>(Context&) or awaitable<Exit>(Context&)
template <class F>
concept RunsAwaitable = std::copy_constructible<F> && requires(F function, Context& context) {
  { function(context) } -> AwaitsAnEnd;
};

template <class T>
concept HasRun = requires(T instance, Context& context) {
  { instance.run(context) } -> AwaitsAnEnd;
};
template <class T>
concept PointsToRun = requires(T instance, Context& context) {
  { instance->run(context) } -> AwaitsAnEnd;
};

// () -> instance, or pointer to one
template <class F>
concept MakesInstances = std::copy_constructible<F> && requires(F function) {
  {function()};
  requires HasRun<decltype(function())> || PointsToRun<decltype(function())>;
};

template <class F>
class FunctionBody final : public Body {
 public:
  explicit FunctionBody(const F& function) : function_(function) {}
  Begun run(Context& context) override { return function_(context); }

 private:
  F function_;  // a coroutine lambda's frame refers to it
};

template <class F>
class InstanceBody final : public Body {
 public:
  explicit InstanceBody(F& factory) : instance_(factory()) {}
  Begun run(Context& context) override {
    if constexpr (HasRun<decltype(std::declval<F&>()())>) {
      return instance_.run(context);
    } else {
      return instance_->run(context);
    }
  }

 private:
  decltype(std::declval<F&>()()) instance_;
};

template <class F>
std::function<std::unique_ptr<Body>()> factory_of(F function) {
  if constexpr (RunsAwaitable<F>) {
    return [function = std::move(function)] { return std::make_unique<FunctionBody<F>>(function); };
  } else {
    return [function = std::move(function)]() mutable { return std::make_unique<InstanceBody<F>>(function); };
  }
}

}  // namespace holdfast::detail

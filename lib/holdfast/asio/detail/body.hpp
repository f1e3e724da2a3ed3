// Brings what a user gives as an awaitable service into one form: a factory of instances, one for each run.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/service.hpp>

namespace holdfast {
struct Process;
}

namespace holdfast::detail {

// A begun run: the coroutine that the user's function returned, not yet resumed.
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
concept IsAwaitableService = RunsAwaitable<F> || MakesInstances<F>;

// Whether `F` is meant as an awaitable service, rightly or wrongly, because no other overload of `add` takes it. A
// wrong one then fails with the sentence of check_service() instead of a list of overloads that do not fit.
template <class F>
concept OfferedAsAwaitableService =
    !std::derived_from<std::remove_cvref_t<F>, Service> && !std::convertible_to<F, std::shared_ptr<Service>> &&
    !std::convertible_to<F, Process>;

// A value, not a concept: compilers would list why the concept does not hold below the sentence.
template <class F>
inline constexpr bool kIsAwaitableService = IsAwaitableService<F>;

template <class F>
constexpr void check_service() {
  static_assert(
      kIsAwaitableService<F>,
      "add() takes as a service: a copyable function awaitable<void>(Context&) or awaitable<Exit>(Context&); a "
      "copyable function without arguments that returns an object, or a smart pointer to one, with such a "
      "function run(Context&); a Service&; and Runtime::add also a shared_ptr<Service> or a Process");
}

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

// Empty for a type that check_service() has refused, so that the compiler reports nothing else about it.
template <class F>
std::function<std::unique_ptr<Body>()> factory_of(F function) {
  if constexpr (!IsAwaitableService<F>) {
    return {};
  } else if constexpr (RunsAwaitable<F>) {
    return [function = std::move(function)] { return std::make_unique<FunctionBody<F>>(function); };
  } else {
    return [function = std::move(function)]() mutable { return std::make_unique<InstanceBody<F>>(function); };
  }
}

}  // namespace holdfast::detail

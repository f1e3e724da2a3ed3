#include "gateway.hpp"

#include <stdexcept>
#include <variant>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

using boost::asio::use_awaitable;
using holdfast::Context;
using namespace boost::asio::experimental::awaitable_operators;

namespace gateway {

// What goes wrong with a line is thrown, and that is all: the next run dials again, after a growing, jittered delay.
awaitable<void> feed(Context& ctx, const Venue& venue, Wires& wires) {
  const auto line = co_await venue.dial(ctx);
  for (std::uint64_t number = 1;; ++number) {
    const auto heard = co_await (line->next() || ctx.sleep_for(kSilenceMax));
    if (heard.index() == 1) throw std::runtime_error{"silence"};
    if (!std::get<0>(heard)) throw std::runtime_error{"hung up"};
    co_await wires.quotes.async_send({}, parse_quote(*std::get<0>(heard), number, venue.name), use_awaitable);
  }
}

// Each run begins with an empty book, which the feeds fill again.
awaitable<void> engine(Context& ctx, Wires& wires) {
  for (Book book{kSilenceMax};;) {
    const Quote quote = co_await wires.quotes.async_receive(use_awaitable);
    ++wires.quotes_seen;
    if (!book.enter(quote, ctx.now())) continue;
    if (auto order = book.order(quote.symbol, ctx.now())) {
      co_await wires.orders.async_send({}, std::move(*order), use_awaitable);
    }
  }
}

// A gate that is started again has forgotten its exposure: so its restart policy is `never`.
awaitable<void> risk_gate(Context&, Wires& wires) {
  for (std::int64_t exposure = 1;; ++exposure) {
    const Order order = co_await wires.orders.async_receive(use_awaitable);
    if (exposure > kExposureMax) throw std::runtime_error{"exposure limit"};
    ++wires.orders_let_through;
    wires.out << "order " << order.symbol << " from " << order.buy_at << " to " << order.sell_at << std::endl;
  }
}

awaitable<void> heartbeat(Context& ctx, Wires& wires) {
  for (;; co_await ctx.sleep_for(1s)) {
    wires.out << "alive, " << wires.quotes_seen << " quotes, " << wires.orders_let_through << " orders" << std::endl;
  }
}

void GateWatch::on_event(const holdfast::Event& event) {
  if (event.name == "risk" && std::holds_alternative<holdfast::event::Terminated>(event.what)) shut_down_();
}

}  // namespace gateway

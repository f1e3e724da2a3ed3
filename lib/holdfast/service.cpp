#include <holdfast/service.hpp>

#include <exception>

namespace holdfast {

Error::Error(std::string text) : size_(text.size()) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const char* const data = owner->data();
  data_ = std::shared_ptr<const char>{std::move(owner), data};
}

Error Error::literal(std::string_view text) noexcept {
  Error error;
  error.data_ = std::shared_ptr<const char>{std::shared_ptr<void>{}, text.data()};  // no owner, no reference count
  error.size_ = text.size();
  return error;
}

Error Error::from_current_exception() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return Error{exception.what()};
  } catch (...) {
    return literal("unknown exception");
  }
}

}  // namespace holdfast

#include <holdfast/up/import_yaml.hpp>

#include <algorithm>
#include <map>
#include <new>

#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

constexpr std::string_view kMerge = "<<";

std::uint32_t line_of(const yaml_mark_t& mark) noexcept { return static_cast<std::uint32_t>(mark.line) + 1; }

std::string_view text_of_scalar(const yaml_node_t& node) noexcept {
  return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length};
}

bool is_null(const yaml_node_t& node) noexcept {
  if (node.type != YAML_SCALAR_NODE || node.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  const auto text = text_of_scalar(node);
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

struct Parser {
  Parser() { ready = yaml_parser_initialize(&state) == 1; }
  ~Parser() {
    if (ready) yaml_parser_delete(&state);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  yaml_parser_t state{};
  bool ready = false;
};

}  // namespace

YamlNode::Kind YamlNode::kind() const noexcept {
  if (node_ == nullptr || is_null(*node_)) return Kind::nothing;
  if (node_->type == YAML_SCALAR_NODE) return Kind::text;
  return node_->type == YAML_SEQUENCE_NODE ? Kind::list : Kind::table;
}

std::uint32_t YamlNode::line() const noexcept { return node_ == nullptr ? 0 : line_of(node_->start_mark); }

std::string_view YamlNode::text() const noexcept {
  return kind() == Kind::text ? text_of_scalar(*node_) : std::string_view{};
}

std::vector<YamlNode> YamlNode::items() const {
  std::vector<YamlNode> all;
  if (kind() != Kind::list) return all;
  const auto& items = node_->data.sequence.items;
  all.reserve(static_cast<std::size_t>(items.top - items.start));
  for (const auto* item = items.start; item < items.top; ++item) {
    all.push_back({document_, yaml_document_get_node(document_, *item)});
  }
  return all;
}

std::vector<YamlNode::Entry> YamlNode::entries() const {
  std::vector<Entry> all;
  std::vector<const yaml_node_t*> seen;
  add_entries(all, seen);
  return all;
}

// Each table once, however often it is merged.
void YamlNode::add_entries(std::vector<Entry>& all, std::vector<const yaml_node_t*>& seen) const {
  if (kind() != Kind::table || std::find(seen.begin(), seen.end(), node_) != seen.end()) return;
  seen.push_back(node_);
  const auto& pairs = node_->data.mapping.pairs;
  std::vector<YamlNode> merged;
  for (const auto* pair = pairs.start; pair < pairs.top; ++pair) {
    const auto* const key = yaml_document_get_node(document_, pair->key);
    const YamlNode value{document_, yaml_document_get_node(document_, pair->value)};
    const auto word = text_of_scalar(*key);
    if (word == kMerge) {
      merged = value.kind() == Kind::list ? value.items() : std::vector{value};
      continue;
    }
    const bool is_there = std::any_of(all.begin(), all.end(), [word](const Entry& entry) { return entry.key == word; });
    if (!is_there) all.push_back({word, line_of(key->start_mark), value});
  }
  for (const auto& table : merged) table.add_entries(all, seen);
}

YamlNode YamlNode::find(std::string_view key) const {
  for (const auto& entry : entries()) {
    if (entry.key == key) return entry.value;
  }
  return {};
}

void YamlDocument::Delete::operator()(yaml_document_t* document) const noexcept {
  yaml_document_delete(document);
  delete document;
}

YamlDocument::YamlDocument(std::string_view text, const std::string& file, std::vector<file::Complaint>& faults) {
  const auto faults_before = faults.size();
  Parser parser;
  if (!parser.ready) throw std::bad_alloc{};
  yaml_parser_set_input_string(&parser.state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  const auto load = [&] {
    auto loaded = std::make_unique<yaml_document_t>();
    if (yaml_parser_load(&parser.state, loaded.get()) == 1) {
      return std::unique_ptr<yaml_document_t, Delete>{loaded.release()};
    }
    const auto& mark = parser.state.problem_mark;
    faults.push_back(
        {file, line_of(mark), static_cast<std::uint32_t>(mark.column) + 1, "",
         std::string{"is no YAML: "} + (parser.state.problem != nullptr ? parser.state.problem : "it cannot be read")});
    return std::unique_ptr<yaml_document_t, Delete>{};
  };
  document_ = load();
  if (!document_) return;
  auto* const root = yaml_document_get_root_node(document_.get());
  if (root == nullptr) return;
  if (const auto next = load(); next && yaml_document_get_root_node(next.get()) != nullptr) {
    faults.push_back({file, line_of(next->start_mark), 0, "", "has a second document; allowed is one"});
  }
  check_tables(file, faults);
  if (faults.size() == faults_before) root_ = {document_.get(), root};
}

// Each key is a word that stands once in its table.
void YamlDocument::check_tables(const std::string& file, std::vector<file::Complaint>& faults) const {
  for (const auto* node = document_->nodes.start; node < document_->nodes.top; ++node) {
    if (node->type != YAML_MAPPING_NODE) continue;
    std::map<std::string_view, std::uint32_t> lines;
    for (const auto* pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; ++pair) {
      const auto* const key = yaml_document_get_node(document_.get(), pair->key);
      const auto line = line_of(key->start_mark);
      if (key->type != YAML_SCALAR_NODE) {
        faults.push_back({file, line, 0, "", "has a key that is no word"});
        continue;
      }
      const auto word = text_of_scalar(*key);
      if (const auto [first, is_new] = lines.emplace(word, line); !is_new) {
        faults.push_back(
            {file, line, 0, "",
             "has " + file::in_quotes(word) + " a second time; the first is in line " + std::to_string(first->second)});
      }
    }
  }
}

}  // namespace holdfast::up

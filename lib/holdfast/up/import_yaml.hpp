// YAML as libyaml reads it: a tree whose nodes know their lines. Merges (`<<: *other`) are done, duplicates refused.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <yaml.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/bad_input.hpp>

namespace holdfast::up {

// One of a document, which outlives it. A node may stand at several places, and an anchor may make it a part of itself:
// who goes down has to stop at some depth.
class YamlNode {
 public:
  enum class Kind : std::uint8_t { nothing, text, list, table };

  YamlNode() = default;  // nothing, as what is not there

  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] std::uint32_t line() const noexcept;
  // Of a text: as it is written there, also of a number. Of anything else empty.
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] std::vector<YamlNode> items() const;  // of a list
  // Of a table, in the order of the file: its own, then those that it merges.
  struct Entry;
  [[nodiscard]] std::vector<Entry> entries() const;
  [[nodiscard]] YamlNode find(std::string_view key) const;

 private:
  friend class YamlDocument;
  YamlNode(yaml_document_t* document, yaml_node_t* node) noexcept : document_(document), node_(node) {}
  void add_entries(std::vector<Entry>& all, std::vector<const yaml_node_t*>& seen) const;

  yaml_document_t* document_ = nullptr;
  yaml_node_t* node_ = nullptr;
};

struct YamlNode::Entry {
  std::string_view key;
  std::uint32_t line;
  YamlNode value;
};

class YamlDocument {
 public:
  // What is wrong is added to `faults`; then the root is nothing.
  YamlDocument(std::string_view text, const std::string& file, std::vector<file::Complaint>& faults);

  [[nodiscard]] YamlNode root() const noexcept { return root_; }

 private:
  struct Delete {
    void operator()(yaml_document_t* document) const noexcept;
  };
  void check_tables(const std::string& file, std::vector<file::Complaint>& faults) const;

  std::unique_ptr<yaml_document_t, Delete> document_;  // or null
  YamlNode root_;
};

}  // namespace holdfast::up

// The page of report_html.hpp, without its data.
#pragma once

namespace holdfast::sim::detail {

// /*TITLE*/ stands where the scenario's name goes, /*STYLE*/ where kPageStyle goes, /*DATA*/ where the run goes as
// JSON.
extern const char* const kReportPage;

}  // namespace holdfast::sim::detail

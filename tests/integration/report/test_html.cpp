// Pieces of the page.
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/chart.h"
#include "report/html.h"
#include "tests/catch.h"

using namespace bcx::report;

TEST_CASE("texts cannot leave their place in the page") {
  CHECK(escaped("<b a='1' c=\"2\">&amp;</b>") ==
        "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;&lt;/b&gt;");
  CHECK(escaped(std::string("a\0b\x1b\xff", 5)) == "a\\x00b\\x1b\\xff");
  CHECK(escaped("Grüße") == "Grüße");
}

TEST_CASE("JSON in a script element cannot end it") {
  const auto text = script_json({{"name", "</script><!--\xff"}, {"nan", std::nan("")}});
  CHECK(text.find('<') == std::string::npos);
  const auto back = nlohmann::json::parse(text);
  CHECK(back["name"] == "</script><!--\xEF\xBF\xBD");
  CHECK(back["nan"].is_null());
}

TEST_CASE("base 64 as in RFC 4648, section 10") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("a chart without plotly.js is its table, open") {
  Chart chart{"loss", "Loss <of> A", "", {"x"}, {"y"}, {}, {}, false};
  chart.traces.push_back(line("a", {1, 2}, {3, 4}, colour(0)));
  HtmlTable table({"#x", "y"});
  table.add({"1", "<3>"});
  chart.tables.push_back(table);
  const auto without = chart_html(chart, false), with = chart_html(chart, true);
  CHECK(without.find("<details open>") != std::string::npos);
  CHECK(without.find("plot-data") == std::string::npos);
  CHECK(with.find("<details>") != std::string::npos);
  CHECK(with.find("plot-data") != std::string::npos);
  for (const auto& html : {with, without}) {
    CHECK(html.find("<td class=\"number\">1</td><td>&lt;3&gt;</td>") != std::string::npos);
    CHECK(html.find("Loss &lt;of&gt; A") != std::string::npos);
  }
}

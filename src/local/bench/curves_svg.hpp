// Small charts as SVG: for each trace the hit ratio over the size of the cache, one line per policy.
// Shapes and text only, no script and no font of our own, so that it shows the same in a browser and in a document.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace seawall::bench {

struct curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< Size, percent; sizes ascend.
};

struct chart {
  std::string title;
  std::vector<curve> curves;
};

class curves_svg {
 public:
  /// How a curve of that name looks, in the order of drawing: the last one lies on top.
  struct style {
    const char* name;
    const char* label;
    const char* colour;
    double width;
    const char* dashes;
  };
  static constexpr style styles[] = {
      {"belady", "Belady's optimum", "#9aa0a6", 1.2, "2 3"},
      {"lru", "LRU", "#b07d2b", 1.4, ""},
      {"s3-fifo", "S3-FIFO", "#3b8c6e", 1.4, ""},
      {"caffeine-head", "Caffeine", "#7b5ea7", 1.4, ""},
      {"best", "best policy of the reference", "#5f6368", 1.2, "6 3"},
      {"seawall", "Seawall", "#0b57d0", 2.6, ""},
  };

  static std::string draw(const std::vector<chart>& charts) {
    const int columns = std::clamp(static_cast<int>(charts.size()), 1, 4);
    const int rows = static_cast<int>((charts.size() + static_cast<std::size_t>(columns) - 1) /
                                      static_cast<std::size_t>(columns));
    const double width = margin * 2 + columns * cell_width;
    const double height = head + rows * cell_height + margin;
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"Helvetica, Arial, sans-serif\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
        std::max(width, least_width), height);
    out += fmt::format("<text x=\"{}\" y=\"26\" font-size=\"16\" font-weight=\"bold\" fill=\"#202124\">"
                       "Hit ratio in percent, by entries in the cache</text>\n", margin);
    out += legend(charts);
    for (std::size_t i = 0; i != charts.size(); ++i) {
      const auto column = static_cast<int>(i) % columns;
      const auto row = static_cast<int>(i) / columns;
      out += fmt::format("<g transform=\"translate({},{})\">\n", margin + column * cell_width,
                         head + row * cell_height);
      out += one(charts[i]) + "</g>\n";
    }
    return out + "</svg>\n";
  }

  /// False when the file cannot be written.
  static bool write(const std::vector<chart>& charts, const std::filesystem::path& file) {
    std::error_code failed;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failed);
    std::ofstream out(file);
    out << draw(charts);
    out.close();
    return static_cast<bool>(out);
  }

 private:
  static constexpr double margin = 24;
  static constexpr double head = 66;
  static constexpr double cell_width = 250;
  static constexpr double cell_height = 196;
  static constexpr double least_width = 900;  // the legend's
  static constexpr double left = 34;          // of the plot within its cell
  static constexpr double top = 24;
  static constexpr double plot_width = 200;
  static constexpr double plot_height = 130;

  struct range {
    double low;
    double high;
    double share(double value) const { return high == low ? 0.5 : (value - low) / (high - low); }
  };

  static const curve* find(const chart& in, std::string_view name) {
    const auto found = std::find_if(in.curves.begin(), in.curves.end(), [&](const curve& c) { return c.name == name; });
    return found == in.curves.end() || found->points.empty() ? nullptr : &*found;
  }

  static std::string legend(const std::vector<chart>& charts) {
    std::string out;
    double x = margin;
    for (std::size_t i = std::size(styles); i-- != 0;) {
      const style& look = styles[i];
      if (std::none_of(charts.begin(), charts.end(), [&](const chart& c) { return find(c, look.name) != nullptr; })) {
        continue;
      }
      out += fmt::format("<line x1=\"{}\" y1=\"45\" x2=\"{}\" y2=\"45\" stroke=\"{}\" stroke-width=\"{}\" "
                         "stroke-dasharray=\"{}\"/>\n", x, x + 26, look.colour, look.width, dashes(look));
      out += fmt::format("<text x=\"{}\" y=\"49\" font-size=\"12\" fill=\"#3c4043\">{}</text>\n", x + 32, look.label);
      x += 56 + 6.6 * static_cast<double>(std::string_view(look.label).size());
    }
    return out;
  }

  static const char* dashes(const style& look) { return *look.dashes == '\0' ? "none" : look.dashes; }

  /// A step of 1, 2 or 5 times a power of ten that gives about four lines.
  static double step_of(double span) {
    const double rough = std::max(span, 0.4) / 4;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (rough <= factor * power) return factor * power;
    }
    return 10 * power;
  }

  static std::string size_label(double size) {
    if (size >= 1e6) return fmt::format("{:g}M", std::round(size / 1e4) / 100);
    if (size >= 1e4) return fmt::format("{:g}k", std::round(size / 100) / 10);
    return fmt::format("{:g}", size);
  }

  static std::string one(const chart& shown) {
    range sizes{1e300, -1e300};
    range percents{100, 0};
    for (const curve& c : shown.curves) {
      for (const auto& [size, percent] : c.points) {
        sizes = {std::min(sizes.low, std::log(size)), std::max(sizes.high, std::log(size))};
        percents = {std::min(percents.low, percent), std::max(percents.high, percent)};
      }
    }
    const double step = step_of(percents.high - percents.low);
    percents = {std::floor(percents.low / step) * step, std::ceil(percents.high / step) * step};
    if (percents.low == percents.high) percents.high += step;
    std::string out = fmt::format("<text x=\"{}\" y=\"14\" font-size=\"13\" font-weight=\"bold\" fill=\"#202124\">{}"
                                  "</text>\n", left, shown.title);
    out += grid(shown, sizes, percents, step);
    for (const style& look : styles) {
      if (const curve* c = find(shown, look.name)) out += line(*c, look, sizes, percents);
    }
    return out;
  }

  static double x_of(double size, const range& sizes) { return left + plot_width * sizes.share(std::log(size)); }
  static double y_of(double percent, const range& percents) {
    return top + plot_height * (1 - percents.share(percent));
  }

  static std::string grid(const chart& shown, const range& sizes, const range& percents, double step) {
    std::string out;
    for (double at = percents.low; at <= percents.high + step / 2; at += step) {
      const double y = y_of(at, percents);
      out += fmt::format("<line x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\" stroke=\"#e3e6e8\"/>\n", left, y,
                         left + plot_width, y);
      out += fmt::format("<text x=\"{}\" y=\"{:.1f}\" font-size=\"10\" text-anchor=\"end\" fill=\"#5f6368\">{:g}"
                         "</text>\n", left - 5, y + 3.5, std::round(at * 100) / 100);
    }
    double free_from = -1e300;  // labels that would touch their neighbour are left out, their ticks stay
    for (const auto& [size, percent] : shown.curves.front().points) {
      const double x = x_of(size, sizes);
      out += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#9aa0a6\"/>\n", x,
                         top + plot_height, top + plot_height + 4);
      if (x < free_from) continue;
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" font-size=\"10\" text-anchor=\"middle\" fill=\"#5f6368\">{}"
                         "</text>\n", x, top + plot_height + 16, size_label(size));
      free_from = x + 30;
    }
    return out;
  }

  static std::string line(const curve& drawn, const style& look, const range& sizes, const range& percents) {
    std::string points;
    std::string dots;
    for (const auto& [size, percent] : drawn.points) {
      const double x = x_of(size, sizes);
      const double y = y_of(percent, percents);
      points += fmt::format("{:.1f},{:.1f} ", x, y);
      if (look.width > 2 || drawn.points.size() == 1) {
        dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>\n", x, y, look.width,
                            look.colour);
      }
    }
    return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" "
                       "stroke-dasharray=\"{}\" stroke-linejoin=\"round\"/>\n{}", points, look.colour, look.width,
                       dashes(look), dots);
  }
};

}  // namespace seawall::bench

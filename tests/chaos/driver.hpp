// driver: one run over one topology, from the start of its servers to the summary.
#pragma once

#include "settings.hpp"

#include <filesystem>

namespace chaos {

/// Whether every promise held and everything went as it should; prints the summary. Throws std::runtime_error if the
/// servers cannot be started.
bool run_topology(const settings& how, const std::string& which, const std::filesystem::path& program);

/// Ends the run that is under way, in order. Safe in a signal handler.
void interrupt() noexcept;
bool is_interrupted() noexcept;

}  // namespace chaos

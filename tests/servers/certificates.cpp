#include "servers/certificates.hpp"
#include "servers/process.hpp"
#include "servers/temp_dir.hpp"

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::servers {
namespace {

using std::filesystem::path;

constexpr std::string_view config = R"([req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:false
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost,IP:127.0.0.1
[wrong_name]
basicConstraints = critical,CA:false
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.test
[client]
basicConstraints = critical,CA:false
extendedKeyUsage = clientAuth
)";

// One run of openssl: <name>.crt and <name>.key, signed by authority.crt or by itself.
void make(const path& folder, const std::string& name, const std::string& section, const std::string& common_name,
          bool signed_by_authority) {
  const auto openssl = find_program("openssl");
  if (!openssl) throw std::runtime_error("no openssl in PATH");
  std::vector<std::string> command{openssl->string(),
                                   "req",
                                   "-x509",
                                   "-config",
                                   "req.cnf",
                                   "-newkey",
                                   "ec",
                                   "-pkeyopt",
                                   "ec_paramgen_curve:P-256",
                                   "-nodes",
                                   "-days",
                                   "3",
                                   "-extensions",
                                   section,
                                   "-subj",
                                   "/CN=" + common_name,
                                   "-keyout",
                                   name + ".key",
                                   "-out",
                                   name + ".crt"};
  if (signed_by_authority) command.insert(command.end(), {"-CA", "authority.crt", "-CAkey", "authority.key"});
  process run{command, folder, folder / "openssl.log"};
  const auto status = run.wait(std::chrono::seconds{60});
  if (!status || *status != 0) {
    throw std::runtime_error("openssl could not make a certificate, see " + (folder / "openssl.log").string());
  }
}

struct made_certificates {
  made_certificates() {
    const path& at = folder.path();
    std::ofstream{at / "req.cnf"} << config;
    make(at, "authority", "authority", "Seawall test authority", false);
    make(at, "other_authority", "authority", "Another authority", false);
    make(at, "server", "server", "localhost", true);
    make(at, "wrong_name", "wrong_name", "elsewhere.test", true);
    make(at, "client", "client", "seawall-client", true);
    files = {at / "authority.crt",  at / "other_authority.crt", at / "server.crt", at / "server.key",
             at / "wrong_name.crt", at / "wrong_name.key",      at / "client.crt", at / "client.key"};
  }

  temp_dir folder{"certificates"};
  certificates files;
};

}  // namespace

const certificates& test_certificates() {
  static const made_certificates made;
  return made.files;
}

}  // namespace seawall::servers

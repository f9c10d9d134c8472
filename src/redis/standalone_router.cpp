// One server, found under one address.
#include "retry.hpp"
#include "router.hpp"

namespace seawall::redis {
namespace {

class standalone_router final : public router {
 public:
  explicit standalone_router(router_host& host)
      : host_(host), services_(host.shared()),
        node_(services_, host, *this, services_.endpoint.servers.front(),
              {.tracking = services_.options.tracking != nullptr}),
        room_(services_, host, [this](request& asked) { node_.submit(asked); },
              [this](request&) {
                return error{errc::timed_out, node_.address().text() + ": the server does not serve: " + last_refusal_};
              }) {}

  void route(request& asked) override { node_.submit(asked); }

  void close(const error& why) override {
    room_.fail_all(why);
    node_.close(why);
  }

  node* node_for(const request&) override { return &node_; }
  std::vector<node*> primaries() override { return {&node_}; }

  bool redirect(connection& from, request& asked, const resp::view& error_reply) override {
    const remedy cure = remedy_for(cmd::classify(error_reply.text()));
    if (cure != remedy::later && cure != remedy::elsewhere) return false;
    last_refusal_ = error_reply.text();
    // The name may lead to another server by now.
    if (cure == remedy::elsewhere) from.restart(error{cmd::errc::read_only, last_refusal_});
    services_.counters.retries.add();
    room_.park(asked, after(services_.clock->now(), refused_pause(services_.random, asked.book.extra++)));
    return true;
  }

  void on_batch() override { host_.pump(); }

 private:
  router_host& host_;
  services& services_;
  std::string last_refusal_;
  node node_;
  waiting_room room_;
};

}  // namespace

std::unique_ptr<router> make_standalone_router(router_host& host) { return std::make_unique<standalone_router>(host); }

}  // namespace seawall::redis

// hiredis, with its blocking calls: a connection for each calling thread.
#pragma once

#include "subject.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::bench {

class hiredis_subject final : public subject {
 public:
  explicit hiredis_subject(std::uint16_t port) {
    int most = 0;
    for (const redis_case& one : redis_cases) most = std::max(most, one.callers);
    for (int i = 0; i != most; ++i) {
      connections_.emplace_back(redisConnect("127.0.0.1", port));
      if (!connections_.back() || connections_.back()->err != 0) fail(connections_.back().get());
    }
    for (int i = 0; i != key_count; ++i) keys_.push_back(key_name(i));
  }

  std::string name() const override { return "hiredis"; }

  measured measure(const redis_case& which, double seconds) override {
    return measure_threads(which, seconds, [&](int caller, std::uint64_t number) {
      redisContext* const to = connections_[static_cast<std::size_t>(caller)].get();
      switch (which.kind) {
        case call_kind::get: return get(to, keys_[key_index(caller, number)]);
        case call_kind::pipeline: return pipeline(to);
        case call_kind::single: return single(to);
      }
    });
  }

 private:
  struct closing {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
  };
  struct freeing {
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
  };
  using reply = std::unique_ptr<redisReply, freeing>;

  [[noreturn]] static void fail(const redisContext* context) {
    if (context == nullptr) throw std::runtime_error("hiredis: out of memory");
    throw std::runtime_error(fmt::format("hiredis: {}", context->err != 0 ? context->errstr : "wrong reply"));
  }

  static void get(redisContext* to, const std::string& key) {
    const reply got(static_cast<redisReply*>(redisCommand(to, "GET %b", key.data(), key.size())));
    if (!got || got->type != REDIS_REPLY_STRING || static_cast<std::size_t>(got->len) != value_size) fail(to);
  }

  static void check_ok(redisContext* to, const reply& got) {
    if (!got || got->type != REDIS_REPLY_STATUS || std::string_view(got->str) != "OK") fail(to);
  }

  void single(redisContext* to) const {
    for (std::size_t i = 0; i != batch; ++i) {
      const std::string& key = keys_[i];
      check_ok(to, reply(static_cast<redisReply*>(
                       redisCommand(to, "SET %b %b", key.data(), key.size(), value_.data(), value_.size()))));
    }
  }

  void pipeline(redisContext* to) const {
    for (std::size_t i = 0; i != batch; ++i) {
      const std::string& key = keys_[i];
      redisAppendCommand(to, "SET %b %b", key.data(), key.size(), value_.data(), value_.size());
    }
    for (int i = 0; i != batch; ++i) {
      void* got = nullptr;
      if (redisGetReply(to, &got) != REDIS_OK) fail(to);
      check_ok(to, reply(static_cast<redisReply*>(got)));
    }
  }

  std::vector<std::unique_ptr<redisContext, closing>> connections_;
  std::vector<std::string> keys_;
  const std::string value_ = value_text();
};

}  // namespace seawall::bench

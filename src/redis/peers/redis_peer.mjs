// The clients of npm under the workload of ./dev bench redis, which runs this.
//
// usage: node redis_peer.mjs MODULES CLIENT PORT KEYS TIMED
// MODULES: the folder node_modules. CLIENT: ioredis or node-redis. KEYS: how many there are. TIMED: of so many GETs of
// a caller one is timed.
// Prints "ready", or the cause in one line. Then reads lines "get|pipeline|single CALLERS SECONDS" and answers each
// with "OPERATIONS OPERATIONS_PER_SECOND CPU_SECONDS P50_US P99_US", or the cause of a failure.
//
// Each client is as fast as its options allow: ioredis joins the commands of one turn of the event loop, node-redis
// does without its timer for each command.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, client, port, keyCount, timedGet] = process.argv.slice(2);
const require = createRequire(modules + '/');

const batch = 100;
const value = 'v'.repeat(64);
const keys = Array.from({ length: Number(keyCount) }, (_, index) => 'key:' + String(index).padStart(6, '0'));

function check(good) {
  if (!good) throw new Error('wrong reply');
}

async function ioredis() {
  const { Redis } = require('ioredis');
  const redis = new Redis({ host: '127.0.0.1', port: Number(port), enableAutoPipelining: true, lazyConnect: true });
  redis.on('error', fail);
  await redis.connect();
  return {
    get: (key) => redis.get(key),
    set: (key) => redis.set(key, value),
    pipeline: async () => {
      const commands = redis.pipeline();
      for (let i = 0; i !== batch; ++i) commands.set(keys[i], value);
      for (const [error, reply] of await commands.exec()) check(!error && reply === 'OK');
    },
  };
}

async function nodeRedis() {
  const { createClient } = require('redis');
  const redis = createClient({ socket: { host: '127.0.0.1', port: Number(port) }, commandOptions: { timeout: 0 } });
  redis.on('error', fail);
  await redis.connect();
  return {
    get: (key) => redis.get(key),
    set: (key) => redis.set(key, value),
    pipeline: async () => {
      const commands = redis.multi();
      for (let i = 0; i !== batch; ++i) commands.set(keys[i], value);
      for (const reply of await commands.execAsPipeline()) check(reply === 'OK');
    },
  };
}

// What a caller starts and waits for, and whether what came is right.
function callsOf(redis) {
  const always = () => true;
  return {
    get: {
      start: (caller, number) => redis.get(keys[(caller * 157 + number * 13) % keys.length]),
      good: (reply) => reply?.length === value.length,
    },
    pipeline: { start: redis.pipeline, good: always },
    single: {
      start: async () => {
        for (let i = 0; i !== batch; ++i) check((await redis.set(keys[i])) === 'OK');
      },
      good: always,
    },
  };
}

async function measure(kind, { start, good }, callers, seconds) {
  const timed = kind === 'get' ? Number(timedGet) : 1;
  const times = [];
  let calls = 0;
  let stop = false;
  const caller = async (index) => {
    let number = 0;
    for (; !stop; ++number) {
      if (number % timed !== 0) {
        check(good(await start(index, number)));
        continue;
      }
      const begin = performance.now();
      const reply = await start(index, number);
      times.push(performance.now() - begin);
      check(good(reply));
    }
    calls += number;
  };
  const cpuBegin = process.cpuUsage();
  const begin = performance.now();
  setTimeout(() => (stop = true), 1000 * seconds);
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index)));
  const wall = (performance.now() - begin) / 1000;
  const cpu = process.cpuUsage(cpuBegin);
  times.sort((a, b) => a - b);
  const microseconds = (share) => 1000 * times[Math.floor(share * times.length)];
  const operations = kind === 'get' ? calls : calls * batch;
  return [operations, operations / wall, (cpu.user + cpu.system) / 1e6, microseconds(0.5), microseconds(0.99)];
}

function fail(error) {
  console.log(String(error.message || error.code || error).replaceAll('\n', ' '));
  process.exit(1);
}

async function main() {
  const calls = callsOf(await (client === 'ioredis' ? ioredis() : nodeRedis()));
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [kind, callers, seconds] = line.split(' ');
    console.log((await measure(kind, calls[kind], Number(callers), Number(seconds))).join(' '));
  }
  process.exit(0);
}

main().catch(fail);

// lru-cache of npm under the workload of ./dev bench local, which runs this.
//
// usage: node --expose-gc lru_cache_peer.mjs MODULES CASE SECONDS THREADS REQUESTS
// MODULES: the folder node_modules. REQUESTS: a file with one little-endian 32-bit rank per request.
// Prints lines "THREADS METRIC VALUE". One thread, whatever THREADS says: a JavaScript cache belongs to its event loop.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [modules, name, seconds, , requests] = process.argv.slice(2);
const { LRUCache } = createRequire(modules + '/')('lru-cache');

const entries = 1_000_000;
const small = 100_000;

const mask = (1n << 64n) - 1n;
function mixed(rank) {
  let x = BigInt(rank) + 1n;
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & mask;
  return x ^ (x >> 31n);
}
const number = (rank) => Number(mixed(rank) >> 11n); // what a double holds exactly
const text = (rank) => 'key:' + mixed(rank).toString().padStart(20, '0');

const print = (metric, value) => console.log(`1 ${metric} ${value.toFixed(6)}`);

function stepOf() {
  const strings = name === 'get-hit string';
  const through = name === 'read-through';
  const cache = new LRUCache({ max: through ? small : entries + entries / 10 });
  const keys = Array.from({ length: entries }, (_, rank) => (strings ? text(rank) : number(rank)));
  if (through) {
    return (rank) => {
      const key = keys[rank];
      if (cache.get(key) !== undefined) return 1;
      cache.set(key, key);
      return 0;
    };
  }
  for (const key of keys) cache.set(key, strings ? Buffer.alloc(100) : key);
  if (name !== 'mix95/5') return (rank) => (cache.get(keys[rank]) === undefined ? 0 : 1);
  return (rank, at) => {
    if (at % 20 !== 19) return cache.get(keys[rank]) === undefined ? 0 : 1;
    cache.set(keys[rank], keys[rank]);
    return 1;
  };
}

function speed() {
  const bytes = readFileSync(requests);
  const ranks = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const step = stepOf();
  let at = 0;
  const measure = (span) => {
    let operations = 0;
    let hits = 0;
    const begin = performance.now();
    let now = begin;
    for (; now - begin < 1000 * span; now = performance.now()) {
      for (let i = 0; i !== 1024; ++i) {
        hits += step(ranks[at], at);
        if (++at === ranks.length) at = 0;
      }
      operations += 1024;
    }
    return { ns: (1e6 * (now - begin)) / operations, hits: (100 * hits) / operations };
  };
  measure(2.0); // until the compiler has settled
  const { ns, hits } = measure(Number(seconds));
  print('ns_per_op', ns);
  print('mops', 1e3 / ns);
  if (name === 'read-through') print('hit_pct', hits);
}

function used() {
  for (let i = 0; i !== 4; ++i) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function memory() {
  const strings = name === 'memory 24+100';
  const before = used();
  const cache = new LRUCache({ max: entries });
  for (let rank = 0; rank !== entries; ++rank) {
    if (strings) cache.set(Buffer.from(text(rank)).toString(), Buffer.from(new ArrayBuffer(100)));
    else cache.set(number(rank), number(rank) + 1);
  }
  print('bytes_per_entry', (used() - before) / cache.size);
}

if (name.startsWith('memory')) memory();
else speed();

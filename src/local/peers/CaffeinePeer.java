// Caffeine under the workload of ./dev bench local, which compiles and runs this.
//
// usage: CaffeinePeer CASE SECONDS THREADS,THREADS,... REQUESTS
// REQUESTS: a file with one little-endian 32-bit rank per request. Prints lines "THREADS METRIC VALUE".
// A get answers a reference, as it does in every program for the JVM; the C++ caches copy the value.

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

public final class CaffeinePeer {
  private static final int ENTRIES = 1_000_000;
  private static final int SMALL = 100_000;
  private static final int VALUE_BYTES = 100;

  private static volatile boolean stop;

  /** What one thread did. */
  private static final class Work extends Thread {
    private final Step step;
    private final int[] ranks;
    private final int from;
    private final CountDownLatch ready;
    private final CountDownLatch go;
    long operations;
    long hits;
    long nanoseconds;

    Work(Step step, int[] ranks, int from, CountDownLatch ready, CountDownLatch go) {
      this.step = step;
      this.ranks = ranks;
      this.from = from;
      this.ready = ready;
      this.go = go;
    }

    @Override
    public void run() {
      ready.countDown();
      try {
        go.await();
      } catch (InterruptedException e) {
        return;
      }
      int at = from;
      final long begin = System.nanoTime();
      while (!stop) {
        for (int i = 0; i != 256; ++i) {
          if (step.run(ranks[at], at)) ++hits;
          if (++at == ranks.length) at = 0;
        }
        operations += 256;
      }
      nanoseconds = System.nanoTime() - begin;
    }
  }

  /** One operation; true for a hit. */
  private interface Step {
    boolean run(int rank, int at);
  }

  private static long mixed(int rank) {
    long x = rank + 1L;
    x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
    x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
    return x ^ (x >>> 31);
  }

  private static String text(int rank) {
    final String digits = Long.toUnsignedString(mixed(rank));
    return "key:" + "0".repeat(20 - digits.length()) + digits;
  }

  private static int[] ranks(String file) throws IOException {
    final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(Path.of(file))).order(ByteOrder.LITTLE_ENDIAN);
    final int[] ranks = new int[bytes.remaining() / 4];
    bytes.asIntBuffer().get(ranks);
    return ranks;
  }

  private static <K, V> Cache<K, V> cache(int capacity) {
    return Caffeine.newBuilder().maximumSize(capacity).initialCapacity(capacity).build();
  }

  private static Step numbers(String name) {
    final int capacity = name.equals("read-through") ? SMALL : ENTRIES + ENTRIES / 10;
    final Cache<Long, Long> cache = cache(capacity);
    final long[] keys = new long[ENTRIES];
    for (int i = 0; i != ENTRIES; ++i) keys[i] = mixed(i);
    if (name.equals("read-through")) {
      return (rank, at) -> {
        final Long key = keys[rank];
        if (cache.getIfPresent(key) != null) return true;
        cache.put(key, key);
        return false;
      };
    }
    for (final long key : keys) cache.put(key, key);
    if (name.equals("get-hit")) return (rank, at) -> cache.getIfPresent(keys[rank]) != null;
    return (rank, at) -> {
      if (at % 20 != 19) return cache.getIfPresent(keys[rank]) != null;
      cache.put(keys[rank], keys[rank]);
      return true;
    };
  }

  private static Step strings() {
    final Cache<String, byte[]> cache = cache(ENTRIES + ENTRIES / 10);
    final String[] asked = new String[ENTRIES];
    for (int i = 0; i != ENTRIES; ++i) {
      asked[i] = text(i);
      cache.put(text(i), new byte[VALUE_BYTES]);
    }
    return (rank, at) -> cache.getIfPresent(asked[rank]) != null;
  }

  private static void speed(String name, double seconds, String threads, int[] ranks) throws InterruptedException {
    final Step step = name.equals("get-hit string") ? strings() : numbers(name);
    measure(step, 2, 3.0, ranks); // until the compiler has settled
    for (final String count : threads.split(",")) {
      final List<Work> all = measure(step, Integer.parseInt(count), seconds, ranks);
      double ns = 0;
      double perSecond = 0;
      double operations = 0;
      double hits = 0;
      for (final Work one : all) {
        ns += (double) one.nanoseconds / one.operations / all.size();
        perSecond += 1e9 * one.operations / one.nanoseconds;
        operations += one.operations;
        hits += one.hits;
      }
      print(count, "ns_per_op", ns);
      print(count, "mops", perSecond / 1e6);
      if (name.equals("read-through")) print(count, "hit_pct", 100 * hits / operations);
    }
  }

  private static List<Work> measure(Step step, int threads, double seconds, int[] ranks) throws InterruptedException {
    final CountDownLatch ready = new CountDownLatch(threads);
    final CountDownLatch go = new CountDownLatch(1);
    final List<Work> all = new ArrayList<>();
    stop = false;
    for (int i = 0; i != threads; ++i) {
      all.add(new Work(step, ranks, i * 777_777 % ranks.length, ready, go));
      all.get(i).start();
    }
    ready.await();
    go.countDown();
    Thread.sleep((long) (1000 * seconds));
    stop = true;
    for (final Work one : all) one.join();
    return all;
  }

  private static long heap() throws InterruptedException {
    for (int i = 0; i != 4; ++i) {
      System.gc();
      Thread.sleep(50);
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static void memory(boolean withStrings) throws InterruptedException {
    final Cache<Object, Object> cache = Caffeine.newBuilder().maximumSize(ENTRIES).build();
    final long before = heap();
    for (int i = 0; i != ENTRIES; ++i) {
      if (withStrings) cache.put(text(i), new byte[VALUE_BYTES]);
      else cache.put(mixed(i), mixed(i));
    }
    cache.cleanUp();
    final long after = heap();
    print("1", "bytes_per_entry", (double) (after - before) / cache.estimatedSize());
  }

  private static void print(String threads, String metric, double value) {
    System.out.printf(Locale.ROOT, "%s %s %.6f%n", threads, metric, value);
  }

  public static void main(String[] arguments) throws Exception {
    final String name = arguments[0];
    if (name.startsWith("memory")) memory(name.equals("memory 24+100"));
    else speed(name, Double.parseDouble(arguments[1]), arguments[2], ranks(arguments[3]));
  }
}

// What the machine can do at most: its rate of fused multiply-adds, and how fast it
// reads each level of its memory, at one vector width and on a number of threads.
//
//   sparsam-machine BITS THREADS     prints JSON

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Long enough for the clock's resolution and the start of the threads not to show.
static const double seconds_each = 0.04;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

#define UNROLL _Pragma("GCC unroll 16")
// Else a compiler finds that every call of a function gives the same, and makes one.
#define NOT_PURE __asm__ volatile("")

// Independent chains hide the latency of one: more than latency times issue width.
enum { chains = 12, rounds = 4096 };

#define FMA(name, isa, type, set, fma, store)                                            \
  __attribute__((target(isa), noinline)) static float name(void) {                       \
    NOT_PURE;                                                                            \
    type sum[chains], factor = set(0.5f), term = set(1.0f);                              \
    for (int c = 0; c < chains; ++c)                                                     \
      sum[c] = set(c);                                                                   \
    for (int r = 0; r < rounds; ++r)                                                     \
      UNROLL for (int c = 0; c < chains; ++c) sum[c] = fma(sum[c], factor, term);        \
    float found = 0, lanes[16];                                                          \
    for (int c = 0; c < chains; ++c) {                                                   \
      store(lanes, sum[c]);                                                              \
      found += lanes[0];                                                                 \
    }                                                                                    \
    return found;                                                                        \
  }

FMA(fma_256, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)
FMA(fma_512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)

enum { lines = 8 };

// Adds are as many as loads, which bound them on every core that has two of each.
#define READ(name, isa, type, zero, load, add, store)                                    \
  __attribute__((target(isa), noinline)) static float name(const float *data,            \
                                                           size_t count) {               \
    NOT_PURE;                                                                            \
    type sum[lines];                                                                     \
    for (int l = 0; l < lines; ++l)                                                      \
      sum[l] = zero();                                                                   \
    const size_t step = sizeof(type) / sizeof(float);                                    \
    for (size_t i = 0; i + lines * step <= count; i += lines * step)                     \
      UNROLL for (int l = 0; l < lines; ++l) sum[l] =                                    \
          add(sum[l], load(data + i + l * step));                                        \
    float found = 0, lanes[16];                                                          \
    for (int l = 0; l < lines; ++l) {                                                    \
      store(lanes, sum[l]);                                                              \
      found += lanes[0];                                                                 \
    }                                                                                    \
    return found;                                                                        \
  }

READ(read_256, "avx2", __m256, _mm256_setzero_ps, _mm256_load_ps, _mm256_add_ps,
     _mm256_storeu_ps)
READ(read_512, "avx512f", __m512, _mm512_setzero_ps, _mm512_load_ps, _mm512_add_ps,
     _mm512_storeu_ps)

struct task {
  int bits, processor;
  size_t bytes; // to read again and again; 0 for multiply-adds
  pthread_barrier_t *start;
  double rate; // of floating-point operations or of bytes, a second
  float kept;  // so that the work has a use
};

static float work(const struct task *task, const float *data) {
  if (task->bytes == 0)
    return task->bits == 512 ? fma_512() : fma_256();
  size_t count = task->bytes / sizeof(float);
  return task->bits == 512 ? read_512(data, count) : read_256(data, count);
}

static void *run(void *argument) {
  struct task *task = argument;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(task->processor, &set);
  sched_setaffinity(0, sizeof(set), &set);
  float *data = NULL;
  if (task->bytes) {
    data = aligned_alloc(64, task->bytes);
    if (!data)
      abort();
    memset(data, 0, task->bytes);
  }
  task->kept += work(task, data);
  pthread_barrier_wait(task->start);
  // The clock is looked at once in a while.
  int64_t times = 0, batch = task->bytes ? 1 + (4 << 20) / task->bytes : 8;
  double begin = now(), passed;
  do {
    for (int64_t i = 0; i < batch; ++i)
      task->kept += work(task, data);
    times += batch;
    passed = now() - begin;
  } while (passed < seconds_each);
  double amount =
      task->bytes ? (double)task->bytes : 2.0 * chains * rounds * (task->bits / 32);
  task->rate = amount * times / passed;
  free(data);
  return NULL;
}

static double measure(int bits, int threads, const int *processors, size_t bytes) {
  struct task tasks[threads];
  pthread_t handles[threads];
  pthread_barrier_t start;
  pthread_barrier_init(&start, NULL, threads);
  double rate = 0;
  for (int t = 0; t < threads; ++t) {
    tasks[t] = (struct task){bits, processors[t], bytes, &start, 0, 0};
    if (pthread_create(&handles[t], NULL, run, &tasks[t]))
      abort();
  }
  for (int t = 0; t < threads; ++t) {
    pthread_join(handles[t], NULL);
    rate += tasks[t].rate;
  }
  pthread_barrier_destroy(&start);
  return rate;
}

static size_t cache(int name, size_t otherwise) {
  long bytes = sysconf(name);
  return bytes > 0 ? (size_t)bytes : otherwise;
}

int main(int count, char **arguments) {
  int bits = count == 3 ? atoi(arguments[1]) : 0;
  int threads = count == 3 ? atoi(arguments[2]) : 0;
  if ((bits != 256 && bits != 512) || threads < 1) {
    fprintf(stderr, "usage: sparsam-machine 256|512 THREADS\n");
    return 2;
  }
  if (!(bits == 512 ? __builtin_cpu_supports("avx512f")
                    : __builtin_cpu_supports("fma"))) {
    fprintf(stderr, "this machine has no vectors of %d bits\n", bits);
    return 1;
  }
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  int processors[CPU_SETSIZE], found = 0;
  for (int p = 0; p < CPU_SETSIZE && found < threads; ++p)
    if (CPU_ISSET(p, &allowed))
      processors[found++] = p;
  if (found < threads) {
    fprintf(stderr, "this process may use %d processors, not %d\n", found, threads);
    return 1;
  }
  size_t l1 = cache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  size_t l2 = cache(_SC_LEVEL2_CACHE_SIZE, 1 << 20);
  size_t l3 = cache(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
  // Half of a cache is surely in it, and what is twice the second level is in the third,
  // which others on the machine use, too.
  const struct {
    const char *name;
    size_t bytes;
  } levels[] = {
      {"L1", l1 / 2}, {"L2", l2 / 2}, {"L3", 2 * l2}, {"DRAM", 4 * l3 / threads}};
  printf("{\"gflops\": %.2f, \"read_gb_s\": {",
         measure(bits, threads, processors, 0) * 1e-9);
  for (int i = 0; i < 4; ++i)
    printf("%s\"%s\": %.2f", i ? ", " : "", levels[i].name,
           measure(bits, threads, processors, levels[i].bytes & ~(size_t)4095) * 1e-9);
  printf("}}\n");
  return 0;
}

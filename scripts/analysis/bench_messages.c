// Bytes per second of libzmq between two processes over the loopback, with nothing around it: the
// messages of a push (rows go, an acknowledgement comes) and of a pull (keys go, rows come), sent
// without a copy. See the part 'wire' of scripts/bench.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { HEADER = 64, MOST = 4096 };

static char header[HEADER];
static char *keys, *values;
static size_t key_bytes, value_bytes;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "bench_messages: %s: %s\n", what, zmq_strerror(errno));
  exit(71);
}

static void keep(void *data, void *hint) {
  (void)data;
  (void)hint;
}

static void send_part(void *socket, void *data, size_t size, int more) {
  zmq_msg_t part;
  check(zmq_msg_init_data(&part, data, size, keep, NULL), "make a message");
  check(zmq_msg_send(&part, socket, more ? ZMQ_SNDMORE : 0), "send");
}

// Receives a message and returns the bytes of its parts.
static size_t receive(void *socket, char *routing_id, size_t *routing_size) {
  size_t total = 0;
  for (int more = 1, first = 1; more; first = 0) {
    zmq_msg_t part;
    check(zmq_msg_init(&part), "make a message");
    check(zmq_msg_recv(&part, socket, 0), "receive");
    if (first && routing_id) {
      *routing_size = zmq_msg_size(&part);
      memcpy(routing_id, zmq_msg_data(&part), *routing_size);
    } else {
      total += zmq_msg_size(&part);
    }
    more = zmq_msg_more(&part);
    zmq_msg_close(&part);
  }
  return total;
}

static void *open_socket(void *context, int type) {
  void *socket = zmq_socket(context, type);
  int none = 0;
  if (!socket) check(-1, "open a socket");
  check(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none), "set an option");
  return socket;
}

// Answers every message: a large one with a header, a small one with rows.
static void serve(int output) {
  void *socket = open_socket(zmq_ctx_new(), ZMQ_ROUTER);
  char endpoint[256];
  size_t size = sizeof endpoint;
  check(zmq_bind(socket, "tcp://127.0.0.1:*"), "listen");
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), "read the address");
  if (write(output, endpoint, size) != (ssize_t)size) exit(71);
  for (;;) {
    static char routing_id[256];
    size_t routing_size = 0;
    size_t received = receive(socket, routing_id, &routing_size);
    check(zmq_send(socket, routing_id, routing_size, ZMQ_SNDMORE), "send");
    if (received > HEADER + key_bytes) {
      send_part(socket, header, HEADER, 0);
    } else {
      send_part(socket, header, HEADER, 1);
      send_part(socket, values, value_bytes, 0);
    }
  }
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void measure(void *socket, clockid_t server, int is_push, int window, double least) {
  static double begun[MOST], times[1 << 20];
  size_t sent = 0, done = 0;
  double start = seconds(CLOCK_MONOTONIC), own = seconds(CLOCK_PROCESS_CPUTIME_ID);
  double theirs = seconds(server), now;
  do {
    while (sent < done + (size_t)window) {
      begun[sent++ % MOST] = seconds(CLOCK_MONOTONIC);
      send_part(socket, header, HEADER, 1);
      send_part(socket, keys, key_bytes, is_push);
      if (is_push) send_part(socket, values, value_bytes, 0);
    }
    receive(socket, NULL, NULL);
    now = seconds(CLOCK_MONOTONIC);
    times[done] = now - begun[done % MOST];
    done++;
  } while (now - start < least && done < sizeof times / sizeof *times);
  double processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - own + seconds(server) - theirs;
  for (size_t left = sent - done; left > 0; left--) receive(socket, NULL, NULL);
  qsort(times, done, sizeof *times, ascending);
  double bytes = (double)done * (double)(key_bytes + value_bytes);
  printf("%s\t%zu\t%d\t%.0f\t%.6f\t%.6f\t%.4f\n", is_push ? "push" : "pull", value_bytes, window,
         bytes / (now - start), times[done / 2] * 1e3, times[done * 99 / 100] * 1e3,
         processor / bytes * 1e9);
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: %s ROWS WIDTH SECONDS\n", argv[0]), 64;
  size_t rows = strtoul(argv[1], NULL, 10), width = strtoul(argv[2], NULL, 10);
  double least = strtod(argv[3], NULL);
  if (rows < 1 || rows > 1 << 20 || width < 1 || width > 4096) {
    return fprintf(stderr, "1 to 1048576 rows of 1 to 4096 numbers\n"), 64;
  }
  key_bytes = rows * 4;
  value_bytes = rows * width * 4;
  keys = calloc(1, key_bytes);
  values = malloc(value_bytes);
  if (!keys || !values) return fprintf(stderr, "no memory\n"), 71;
  memset(values, 1, value_bytes);
  int ends[2];
  if (pipe(ends)) return perror("pipe"), 71;
  pid_t child = fork();
  if (child < 0) return perror("fork"), 71;
  if (child == 0) {
    serve(ends[1]);
    return 0;
  }
  close(ends[1]);
  char endpoint[256] = {0};
  if (read(ends[0], endpoint, sizeof endpoint - 1) <= 0) return 71;
  void *context = zmq_ctx_new(), *socket = open_socket(context, ZMQ_DEALER);
  check(zmq_connect(socket, endpoint), "connect");
  clockid_t clock;
  if (clock_getcpuclockid(child, &clock)) return fprintf(stderr, "no clock of the server\n"), 71;
  printf("pattern\tbytes of rows\twindow\tbytes/s\tmedian ms\tp99 ms\tprocessor s per GB\n");
  for (int i = 0; i < 8; i++) {  // pages of buffers are touched for the first time
    send_part(socket, header, HEADER, 1);
    send_part(socket, keys, key_bytes, 1);
    send_part(socket, values, value_bytes, 0);
    receive(socket, NULL, NULL);
  }
  measure(socket, clock, 1, 4, least);
  measure(socket, clock, 0, 2, least);
  measure(socket, clock, 0, 1, least);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}

/* Clients of a WebSocket feed that cost next to nothing: they connect, and count the stamps in what comes.
 *
 * feed_clients PORT REQUESTS STUCK: one connection for each request in the file REQUESTS, where each ends with a line of
 * "--". Every STUCK-th of them never reads, and has a small receive buffer; 0 for none. Prints "ready N" once all are
 * connected and quiet. Then, for each line "EVENTS SECONDS" on stdin, it reads until each reading client has had so many
 * events or the time is over, and prints
 *   deliveries p50_us p99_us longest_us fewest last_ns gone resynced
 * where `fewest` is what the worst client got, `gone` how many reading clients were disconnected, and `resynced` how many
 * of those that never read find a resync frame when they read at last (looked for where EVENTS is negative).
 * A stamp is "TS<ns of the monotonic clock> ".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 8192
#define BUFFER (1 << 20)
#define STAMP 32

struct client { int fd, stuck, gone, events; size_t held; char tail[STAMP]; };

static struct client clients[MOST];
static char space[STAMP + BUFFER], requests[16 << 20];
static uint32_t *waits;
static size_t deliveries, room;
static uint64_t last;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void deliver(struct client *one, uint64_t said) {
    last = now();
    one->events++;
    if (deliveries == room) waits = realloc(waits, (room = room ? 2 * room : 1 << 16) * sizeof *waits);
    uint64_t took = (last - said) / 1000;
    waits[deliveries++] = took > UINT32_MAX ? UINT32_MAX : took;
}

/* Looks for stamps in what came; the end of it is kept where a stamp may go on in what comes next. */
static void take(struct client *one, size_t got) {
    char *data = space + STAMP - one->held, *end = space + STAMP + got, *at = data;
    memcpy(data, one->tail, one->held);
    one->held = 0;
    while ((at = memmem(at, end - at, "TS", 2))) {
        char *digit = at + 2;
        uint64_t said = 0;
        while (digit < end && *digit >= '0' && *digit <= '9') said = said * 10 + (*digit++ - '0');
        if (digit == end) break;
        if (digit > at + 12) deliver(one, said);
        at = digit;
    }
    if (!at && end > data && end[-1] == 'T') at = end - 1;
    if (at && end - at < STAMP) memcpy(one->tail, at, one->held = end - at);
}

static void dial(struct client *one, int port, const char *request, size_t size) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    one->fd = socket(AF_INET, SOCK_STREAM, 0);
    int small = 65536;
    if (one->stuck) setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(one->fd, (struct sockaddr *)&to, sizeof to) || write(one->fd, request, size) != (ssize_t)size) {
        perror("connect");
        exit(1);
    }
    char answer[4096];
    size_t have = 0;
    while (!memmem(answer, have, "\r\n\r\n", 4)) {
        ssize_t got = read(one->fd, answer + have, 1);
        if (got <= 0 || (have += got) == sizeof answer) { fprintf(stderr, "no answer\n"); exit(1); }
    }
    if (memcmp(answer, "HTTP/1.1 101", 12)) { fprintf(stderr, "refused: %.40s\n", answer); exit(1); }
}

static void listen_to(int epoll, int many, int wanted, double seconds) {
    struct epoll_event ready[256];
    uint64_t until = now() + (uint64_t)(seconds * 1e9);
    int done = 0;
    for (int i = 0; i < many; i++) done += clients[i].stuck || clients[i].gone;
    while (done < many && now() < until) {
        int left = (until - now()) / 1000000 + 1, found = epoll_wait(epoll, ready, 256, left);
        for (int i = 0; i < found; i++) {
            struct client *one = &clients[ready[i].data.u32];
            int before = one->events;
            ssize_t got = read(one->fd, space + STAMP, BUFFER);
            if (got <= 0) {
                one->gone = 1;
                done += before < wanted || wanted <= 0;
                epoll_ctl(epoll, EPOLL_CTL_DEL, one->fd, NULL);
                continue;
            }
            take(one, got);
            done += wanted > 0 && before < wanted && one->events >= wanted;
        }
    }
}

/* Whether a client that never read is told to attach again. */
static int resynced(struct client *one) {
    struct timeval limit = {10, 0};
    setsockopt(one->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    size_t kept = 0;
    ssize_t got;
    while ((got = read(one->fd, space + kept, BUFFER - kept)) > 0) {
        size_t have = kept + got;
        if (memmem(space, have, "\"kind\":\"resync\"", 15)) return 1;
        kept = have < 64 ? have : 64;
        memmove(space, space + have - kept, kept);
    }
    return 0;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = atoi(argv[1]), stuck = atoi(argv[3]), many = 0, epoll = epoll_create1(0), wanted;
    struct rlimit files = {MOST + 64, MOST + 64};
    setrlimit(RLIMIT_NOFILE, &files);
    FILE *file = fopen(argv[2], "rb");
    if (!file) return 2;
    requests[fread(requests, 1, sizeof requests - 1, file)] = 0;
    for (char *at = requests, *end; (end = strstr(at, "--\n")) && many < MOST; at = end + 3, many++) {
        clients[many].stuck = stuck && many % stuck == 0;
        dial(&clients[many], port, at, end - at);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = many};
        if (!clients[many].stuck) epoll_ctl(epoll, EPOLL_CTL_ADD, clients[many].fd, &event);
    }
    listen_to(epoll, many, 0, 0.5);
    printf("ready %d\n", many);
    fflush(stdout);
    double seconds;
    while (scanf("%d %lf", &wanted, &seconds) == 2) {
        int fewest = 1 << 30, gone = 0, told = 0;
        deliveries = 0, last = 0;
        for (int i = 0; i < many; i++) clients[i].events = 0;
        listen_to(epoll, many, wanted, seconds);
        for (int i = 0; i < many; i++) {
            if (clients[i].stuck) { told += wanted < 0 && resynced(&clients[i]); continue; }
            gone += clients[i].gone;
            if (clients[i].events < fewest) fewest = clients[i].events;
        }
        qsort(waits, deliveries, sizeof *waits, compare);
        uint32_t p50 = deliveries ? waits[deliveries / 2] : 0, p99 = deliveries ? waits[deliveries * 99 / 100] : 0;
        printf("%zu %u %u %u %d %llu %d %d\n", deliveries, p50, p99, deliveries ? waits[deliveries - 1] : 0, fewest,
               (unsigned long long)last, gone, told);
        fflush(stdout);
    }
    return 0;
}

/* The floor of a fan-out: a WebSocket server that does nothing but write().
 *
 * feed_floor: prints "port N", accepts whatever connects, and answers each request with an upgrade. For each line
 * "EVENTS MICROSECONDS BYTES" on stdin it writes so many frames to all, one every so many microseconds, each with a
 * stamp in it, and prints "cpu_us FIRST_ns", what that took of the processor and when the first was sent. With a fourth
 * number the clients are so many groups, and each group gets that many frames of its own, one group after the other
 * within the time of one frame, as those of so many sessions do. Sockets are blocking: a client that never reads would stop it, so it gets none.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 8192

static int sockets[MOST], many;
static const char UPGRADE[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static uint64_t used(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ull + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void welcome(int listener) {
    char request[8192];
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || many == MOST || read(fd, request, sizeof request) <= 0) return;
    if (write(fd, UPGRADE, sizeof UPGRADE - 1) > 0) sockets[many++] = fd;
}

static int to_group(int first, int end, int bytes) {
    static char frame[65536];
    int head = 4;
    frame[0] = (char)0x81, frame[1] = 126, frame[2] = bytes >> 8, frame[3] = bytes & 255;
    memset(frame + head, 'x', bytes);
    int stamp = snprintf(frame + head, 40, "TS%llu ", (unsigned long long)now());
    frame[head + stamp] = 'x';
    for (int i = first; i < end; i++) if (write(sockets[i], frame, head + bytes) < 0) return -1;
    return 0;
}

static void publish(int events, int pause_us, int bytes, int groups) {
    uint64_t begun = now(), before = used();
    for (int tick = 0; tick < events * groups; tick++) {
        uint64_t due = begun + (uint64_t)tick * pause_us * 1000 / groups;
        int group = tick % groups;
        while (pause_us && now() < due) usleep((due - now()) / 1000);
        if (to_group(many * group / groups, many * (group + 1) / groups, bytes)) return;
    }
    printf("%llu %llu\n", (unsigned long long)(used() - before), (unsigned long long)begun);
    fflush(stdout);
}

int main(void) {
    struct rlimit files = {MOST + 64, MOST + 64};
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 1024)) return 1;
    getsockname(listener, (struct sockaddr *)&at, &size);
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct pollfd watched[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    while (poll(watched, 2, -1) > 0) {
        if (watched[0].revents) welcome(listener);
        if (watched[1].revents) {
            char line[100];
            ssize_t got = read(0, line, sizeof line - 1);
            int events, pause_us, bytes, groups = 1;
            if (got <= 0) return 0;
            line[got] = 0;
            if (sscanf(line, "%d %d %d %d", &events, &pause_us, &bytes, &groups) >= 3) publish(events, pause_us, bytes, groups);
        }
    }
    return 0;
}

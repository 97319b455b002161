/* The physical floor of a durable append: write 300 bytes, fdatasync, repeat. Prints the median in microseconds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int count = argc > 2 ? atoi(argv[2]) : 500;
    double *took = malloc(sizeof(double) * count);
    char record[300];
    memset(record, 'x', sizeof record);
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || !took) return 1;
    for (int i = 0; i < count; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (write(file, record, sizeof record) != sizeof record || fdatasync(file)) return 1;
        clock_gettime(CLOCK_MONOTONIC, &end);
        took[i] = (end.tv_sec - start.tv_sec) * 1e6 + (end.tv_nsec - start.tv_nsec) / 1e3;
    }
    qsort(took, count, sizeof(double), by_value);
    printf("%.1f\n", took[count / 2]);
    return 0;
}

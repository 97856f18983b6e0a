// SPDX-License-Identifier: MIT
/* Lines on their way out: whole, in order, and reported exactly when they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader/halt.h"
#include "reader/sink.h"

static struct sink sink;

struct counter {
	struct line_source source;
	unsigned int written, calls;
};

static void count(struct line_source *source, unsigned int lines)
{
	struct counter *c = (struct counter *)source;

	c->written += lines;
	c->calls++;
}

/* One line of so many bytes, newline included. */
static int add_line(struct counter *c, size_t length)
{
	char *p = sink_next(&sink);

	memset(p, 'x', length - 1);
	p[length - 1] = '\n';
	return sink_add(&sink, p + length, 1, &c->source);
}

static void open_pipe(int fds[2], int bytes)
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink_init(&sink, fds[1]);
	if (bytes) {
		assert_true(fcntl(fds[1], F_SETPIPE_SZ, bytes) >= bytes);
		sink.pipe_bytes = (size_t)bytes;
		sink.limit = sink.pipe_bytes / 4;
	}
}

static void lines_are_reported_once_written(void **state)
{
	struct counter a = { { count, false }, 0, 0 }, b = { { count, true }, 0, 0 };
	char buffer[4096];
	int fds[2];

	(void)state;
	open_pipe(fds, 0);
	assert_int_equal(add_line(&a, 100) | add_line(&a, 200) | add_line(&b, 50) | add_line(&a, 9), 0);
	assert_int_equal(a.written + b.written, 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(a.written, 3);
	assert_int_equal(b.written, 1);
	assert_int_equal(sink.lines, 4);
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), 359);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(a.calls + b.calls, 3);
	close(fds[0]);
	close(fds[1]);
}

static void full_buffers_flush_themselves(void **state)
{
	struct counter a = { { count, false }, 0, 0 };
	unsigned int lines = 0;
	int fds[2];

	(void)state;
	open_pipe(fds, 0);
	for (; !a.written && lines < 10000; lines++)
		assert_int_equal(add_line(&a, 300), 0);
	assert_int_equal(a.written, lines);
	assert_int_equal(sink.used, 0);
	close(fds[0]);
	close(fds[1]);
}

/* Reads all there is, in odd sizes. Exit status 0: only whole lines, and so many. */
static void read_child(int fd, unsigned int lines)
{
	static char buffer[777];
	unsigned int seen = 0;
	char last = '\n';
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			seen += buffer[i] == '\n';
		last = buffer[n - 1];
	}
	_exit(n < 0 || last != '\n' || seen != lines);
}

static void narrow_pipes_lose_nothing(void **state)
{
	struct counter a = { { count, true }, 0, 0 }, b = { { count, false }, 0, 0 };
	int fds[2], status;
	pid_t child;

	(void)state;
	open_pipe(fds, 8192);
	child = fork();
	if (!child) {
		close(fds[1]);
		read_child(fds[0], 4000);
	}
	close(fds[0]);
	for (size_t i = 0; i < 4000; i++)
		assert_int_equal(add_line(i % 3 ? &a : &b, 1 + i * 37 % LINE_MAX_BYTES), 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(a.written + b.written, 4000);
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void pipes_that_do_not_block_work_as_well(void **state)
{
	struct counter a = { { count, true }, 0, 0 };
	int fds[2], status;
	pid_t child;

	(void)state;
	open_pipe(fds, 4096);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	child = fork();
	if (!child) {
		close(fds[1]);
		read_child(fds[0], 1000);
	}
	close(fds[0]);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(add_line(&a, 1 + i * 37 % 3000), 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(a.written, 1000);
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void nobody_reads(void **state)
{
	struct counter a = { { count, true }, 0, 0 };
	int fds[2];

	(void)state;
	open_pipe(fds, 0);
	close(fds[0]);
	assert_int_equal(add_line(&a, 100), 0);
	assert_int_equal(sink_flush(&sink), -EPIPE);
	assert_int_equal(add_line(&a, 100), -EPIPE);
	assert_int_equal(sink_flush(&sink), -EPIPE);
	assert_int_equal(a.written, 0);
	close(fds[1]);
}

static void full_disk(void **state)
{
	struct counter a = { { count, false }, 0, 0 };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0)
		skip();
	sink_init(&sink, fd);
	assert_int_equal(add_line(&a, 100), 0);
	assert_int_equal(sink_flush(&sink), -ENOSPC);
	assert_int_equal(a.written, 0);
	close(fd);
}

/* The last test: the wish to end cannot be taken back. */
static void gives_up_when_the_end_is_wanted(void **state)
{
	struct counter a = { { count, true }, 0, 0 };
	unsigned int lines = 0;
	int fds[2], err = 0;

	(void)state;
	open_pipe(fds, 4096);
	halt_install();
	halt_now();
	assert_true(halt_is_wanted());
	while (!err && lines++ < 100)
		err = add_line(&a, 1000);
	assert_int_equal(err, -ETIMEDOUT);
	/* The first write is in the pipe's one page, and nothing else is said to be out. */
	assert_int_equal(a.written, 2);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_reported_once_written),
		cmocka_unit_test(full_buffers_flush_themselves),
		cmocka_unit_test(narrow_pipes_lose_nothing),
		cmocka_unit_test(pipes_that_do_not_block_work_as_well),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(gives_up_when_the_end_is_wanted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("reader_sink", tests, NULL, NULL);
}

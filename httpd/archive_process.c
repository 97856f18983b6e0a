/* SPDX-License-Identifier: MIT */
/* The process that reads the recorder's database. */
#include "httpd/archive_process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/ask_steps.h"
#include "common/questions.h"
#include "common/sandbox.h"
#include "common/when.h"
#include "httpd/archive_series.h"
#include "httpd/archive_wire.h"
#include "httpd/child.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PROGRESS_STEPS 2000	/* of SQLite's machine, some ten microseconds */
#define SPARE_SECONDS 2		/* beyond the limit, for what is not SQLite's */
#define HEAP_MAX (256LL * 1024 * 1024)	/* SQLite's */
#define PATH_SIZE 4096
#define TIME_MAX 253402300800	/* the end of the year 9999 */

struct archive_process {
	const struct archive_config *config;
	char path[PATH_SIZE], directory[PATH_SIZE];	/* absolute */
};

/* ---- the sandbox ----------------------------------------------------------- */

/* The socket; and what SQLite asks for to read a file that somebody else writes. */
static const int reading[] = {
	SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(write), SCMP_SYS(alarm),
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(fcntl),
	SCMP_SYS(getpid), SCMP_SYS(geteuid), SCMP_SYS(clock_nanosleep),
};

/* What the process needs that starts another one, which is confined further. */
static const int keeping[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(prctl), SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self), SCMP_SYS(capget), SCMP_SYS(capset),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
};

static int enter(const struct archive_process *process, bool keeps)
{
	int directory = open(process->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sandbox sandbox = {
		.program = "httpd-history",
		.without = "httpd --no-sandbox",
		.calls = { { reading, COUNT(reading) }, { keeping, keeps ? COUNT(keeping) : 0 } },
		.paths = { { directory, LANDLOCK_ACCESS_FS_READ_FILE } },
		.n_paths = 1,
	};
	struct sandbox_state state;
	const char *step = "open the database's directory";
	int err = directory < 0 ? -errno : 0;

	if (!err && !process->config->no_sandbox)
		err = sandbox_enter(&sandbox, &state, &step);
	if (directory >= 0)
		close(directory);
	if (err)
		fprintf(stderr, "httpd-history: enter the sandbox: %s: %s; httpd --no-sandbox goes "
			"without\n", step, strerror(-err));
	return err;
}

static int confine(const void *closure)
{
	when_read_zone();
	return enter(closure, true);
}

/* ---- answers --------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int send_piece(uint64_t number, enum archive_piece_kind kind, const char *data, size_t length)
{
	struct archive_piece piece = { .number = number, .kind = kind, .length = (uint32_t)length };
	struct iovec parts[] = { { &piece, sizeof(piece) }, { (void *)data, length } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = length ? 2 : 1 };
	ssize_t sent;

	do
		sent = sendmsg(CHILD_FD, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int send_answer(uint64_t number, const char *data, size_t length)
{
	int err = 0;

	for (size_t at = 0; at < length && !err; at += ARCHIVE_PIECE_MAX)
		err = send_piece(number, ARCHIVE_PIECE, data + at,
				 length - at < ARCHIVE_PIECE_MAX ? length - at : ARCHIVE_PIECE_MAX);
	return err ? err : send_piece(number, ARCHIVE_DONE, NULL, 0);
}

static int send_failure(uint64_t number, enum archive_piece_kind kind, const char *why)
{
	return send_piece(number, kind, why, strnlen(why, ARCHIVE_PIECE_MAX));
}

/* ---- one question ---------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

/* httpd may have been taken over: what it says is looked at like all that comes from outside. */
static bool is_good(const struct archive_question *q)
{
	size_t bys = 0;

	if (q->kind >= ARCHIVE_KINDS || q->question >= QUESTIONS || q->from >= q->to || q->from < 0 ||
	    q->to > TIME_MAX || q->step < 0 || !is_text(q->process, sizeof(q->process)) ||
	    !is_text(q->proto, sizeof(q->proto)) || !is_text(q->host, sizeof(q->host)) ||
	    !is_text(q->step_name, sizeof(q->step_name)))
		return false;
	while (questions[q->question].bys && questions[q->question].bys[bys])
		bys++;
	if (q->by && q->by >= bys)
		return false;
	if (*q->step_name && (!steps_are(q->step_name) || !steps_fit(q->step_name, q->from, q->to)))
		return false;
	return q->bits <= (q->family == 4 ? 32 : 128);
}

static void fill_request(const struct archive_question *q, FILE *out, struct ask_request *r)
{
	const struct question *question = &questions[q->question];

	*r = (struct ask_request){
		.verb = question->name, .by = question->bys ? question->bys[q->by] : NULL,
		.now = q->now, .from = q->from, .to = q->to,
		.process = or_null(q->process), .proto = or_null(q->proto), .host = or_null(q->host),
		.step = or_null(q->step_name), .limit = q->limit, .writer = &json_writer, .out = out,
	};
	r->network.family = q->family == 4 ? AF_INET : q->family == 6 ? AF_INET6 : 0;
	r->network.bits = q->bits;
	memcpy(r->network.address, q->address, sizeof(r->network.address));
}

static bool write_extent(struct ask *a)
{
	struct archive_extent extent = { 0 };
	sqlite3_stmt *statement = ask_prepare(a, "SELECT ifnull(min(begin), 0), ifnull(max(end), 0) "
					      "FROM slot");

	if (statement && ask_check(a, sqlite3_step(statement))) {
		extent.oldest = sqlite3_column_int64(statement, 0);
		extent.newest = sqlite3_column_int64(statement, 1);
		fwrite(&extent, sizeof(extent), 1, a->request->out);
	}
	sqlite3_finalize(statement);
	return a->status == STORE_OK;
}

static bool run(const struct archive_question *q, struct ask *a)
{
	switch (q->kind) {
	case ARCHIVE_REPORT:
		return question_run(&questions[q->question], a);
	case ARCHIVE_SERIES:
		return archive_series_run(q, a);
	default:
		return write_extent(a);
	}
}

/* Not 0: the time is over. */
static int is_late(void *closure)
{
	const uint64_t *deadline_ms = closure;

	return now_ms() >= *deadline_ms;
}

/* Opened anew for each question: the file may have been replaced, and that takes no millisecond. */
static void ask(const struct archive_process *process, const struct archive_question *q, FILE *out,
		uint64_t *deadline_ms, struct ask *a)
{
	a->status = store_open_reader(process->path, &a->db, &a->why);
	if (a->status != STORE_OK)
		return;
	sqlite3_progress_handler(a->db, PROGRESS_STEPS, is_late, deadline_ms);
	run(q, a);
	sqlite3_close(a->db);
	if (fflush(out) || ferror(out))
		ask_check(a, SQLITE_NOMEM);
}

static int reply(const struct archive_question *q, const struct ask *a, const char *text, size_t length,
		 uint64_t deadline_ms)
{
	if (a->status != STORE_OK && now_ms() >= deadline_ms)
		return send_failure(q->number, ARCHIVE_TOO_LONG, "it took too long; ask for less");
	if (a->status != STORE_OK)
		return send_failure(q->number, ARCHIVE_FAILED, store_complaint(a->status, a->why));
	if (length > ARCHIVE_ANSWER_MAX)
		return send_failure(q->number, ARCHIVE_TOO_LONG, "the answer is too large; ask for less");
	return send_answer(q->number, text, length);
}

static int answer(const struct archive_process *process, const struct archive_question *q)
{
	uint64_t deadline_ms = now_ms() + process->config->limit_ms;
	struct ask_request request;
	struct ask a = { .request = &request };
	char *text = NULL;
	size_t length = 0;
	FILE *out;
	int err;

	if (!is_good(q))
		return send_failure(q->number, ARCHIVE_FAILED, "the question makes no sense");
	out = open_memstream(&text, &length);
	if (!out)
		return send_failure(q->number, ARCHIVE_FAILED, strerror(errno));
	fill_request(q, out, &request);
	/* What the limit does not end, this does, and another process takes over. */
	alarm((unsigned int)(process->config->limit_ms / 1000) + SPARE_SECONDS);
	ask(process, q, out, &deadline_ms, &a);
	alarm(0);
	if (fclose(out))
		ask_check(&a, SQLITE_NOMEM);
	err = reply(q, &a, text, length, deadline_ms);
	free(text);
	return err;
}

static int work(const void *closure)
{
	const struct archive_process *process = closure;
	struct archive_question question;
	ssize_t got;
	int err = enter(process, false);

	if (err)
		return EXIT_FAILURE;
	sqlite3_hard_heap_limit64(HEAP_MAX);
	err = send_piece(0, ARCHIVE_READY, NULL, 0);
	while (!err) {
		got = recv(CHILD_FD, &question, sizeof(question), 0);
		if (got == sizeof(question))
			err = answer(process, &question);
		else if (got >= 0 || errno != EINTR)
			break;
	}
	/* Nobody asks any more. */
	return EXIT_SUCCESS;
}

/* ---- start ----------------------------------------------------------------- */

/* Where the file is, or will be, with what links lead to. */
static int find_path(const char *path, char ret_path[PATH_SIZE])
{
	char copy[PATH_SIZE], *name, *directory;
	int length = 0;

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	directory = realpath(path, NULL);
	if (directory) {
		length = snprintf(ret_path, PATH_SIZE, "%s", directory);
	} else {
		strcpy(copy, path);
		directory = realpath(dirname(copy), NULL);
		if (!directory)
			return -errno;
		strcpy(copy, path);
		name = basename(copy);
		length = snprintf(ret_path, PATH_SIZE, "%s/%s", directory, name);
	}
	free(directory);
	return length < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int archive_process_start(const struct archive_config *config, int *ret_fd)
{
	struct archive_process process = { .config = config };
	const struct child child = {
		.name = "httpd-history", .user = config->user, .closure = &process,
		.confine = confine, .work = work,
	};
	char copy[PATH_SIZE];
	int err = find_path(config->path, process.path);

	if (err)
		return err;
	strcpy(copy, process.path);
	strcpy(process.directory, dirname(copy));
	return child_start(&child, ret_fd);
}

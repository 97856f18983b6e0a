/* SPDX-License-Identifier: MIT */
/* The terminal, by ncurses. */
#include "top/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/utf8.h"
#include "top/keys.h"
#include "top/terminfo.h"
#include "top/text.h"
#include "top/watchdog.h"

#define ESCAPE_MS 25		/* more than a terminal needs for the rest of a key */
#define LEAVE_MS 200		/* for a terminal to take what it was last shown */

static struct {
	struct terminal terminal;
	FILE *in, *out;
	SCREEN *screen;
	struct watchdog dog;
	attr_t attributes[STYLES];
	unsigned char typed[4];	/* of a character that is not whole */
	size_t n_typed;
	int no_keys;		/* readable, and nothing there: times in a row */
} self = { .terminal = { .fd = -1 }, .dog = { .fd = -1 } };

/* ---- looks -------------------------------------------------------------------- */

static const struct look {
	attr_t plain;		/* without colour */
	attr_t coloured;
	short ink, paper;	/* -1: the terminal's own */
} looks[STYLES] = {
	[STYLE_PLAIN] = { A_NORMAL, A_NORMAL, -1, -1 },
	[STYLE_STRONG] = { A_BOLD, A_BOLD, -1, -1 },
	[STYLE_FAINT] = { A_NORMAL, A_NORMAL, COLOR_CYAN, -1 },
	[STYLE_BAR] = { A_REVERSE, A_REVERSE, -1, -1 },
	[STYLE_SELECTED] = { A_REVERSE | A_BOLD, A_NORMAL, COLOR_BLACK, COLOR_CYAN },
	[STYLE_IN] = { A_NORMAL, A_NORMAL, COLOR_GREEN, -1 },
	[STYLE_OUT] = { A_NORMAL, A_NORMAL, COLOR_MAGENTA, -1 },
	[STYLE_WARNING] = { A_REVERSE | A_BOLD, A_BOLD, COLOR_WHITE, COLOR_RED },
};

/* https://no-color.org: set, to anything but nothing. */
static bool colour_is_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return (!no || !*no) && has_colors();
}

static void make_looks(void)
{
	bool colour = colour_is_wanted() && start_color() == OK && COLORS >= 8;

	if (colour)
		use_default_colors();
	for (short i = 0; i < STYLES; i++) {
		self.attributes[i] = colour ? looks[i].coloured : looks[i].plain;
		if (!colour || (looks[i].ink < 0 && looks[i].paper < 0))
			continue;
		init_pair((short)(i + 1), looks[i].ink, looks[i].paper);
		self.attributes[i] |= (attr_t)COLOR_PAIR(i + 1);
	}
}

/* ---- opening and closing -------------------------------------------------------- */

static int begin_curses(void)
{
	self.in = fdopen(fcntl(self.terminal.fd, F_DUPFD_CLOEXEC, 0), "r");
	self.out = fdopen(fcntl(self.terminal.fd, F_DUPFD_CLOEXEC, 0), "w");
	if (!self.in || !self.out)
		return -errno;
	self.screen = newterm(NULL, self.out, self.in);
	if (!self.screen)
		return -ENOTSUP;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	make_looks();
	return 0;
}

/* Here, not by the watchdog: what a shell says of a crash comes after this for certain. */
static void on_crash(int number)
{
	watchdog_tell(&self.dog, WATCHDOG_AWAY);
	terminal_give_back(&self.terminal, NULL);
	raise(number);
}

static void heed_crashes(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static int take_over(const char **ret_why)
{
	struct terminal *terminal = &self.terminal;
	int err = terminfo_open(terminal->fd, ret_why);

	if (err)
		return err;
	terminal->reset_length = terminfo_reset(terminal->reset, sizeof(terminal->reset));
	err = watchdog_start(&self.dog, terminal);
	if (err)
		return err;
	watchdog_tell(&self.dog, WATCHDOG_CHANGING);
	heed_crashes();
	err = begin_curses();
	if (err)
		return err;
	refresh();
	watchdog_tell(&self.dog, WATCHDOG_HERE);
	return 0;
}

int screen_open(const char **ret_why)
{
	*ret_why = "cannot be taken over";
	self.terminal.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (self.terminal.fd < 0 || tcgetattr(self.terminal.fd, &self.terminal.before)) {
		*ret_why = "there is no terminal here";
		return -ENXIO;
	}
	return take_over(ret_why);
}

static bool takes_text(int ms)
{
	struct pollfd out = { .fd = self.terminal.fd, .events = POLLOUT };

	return poll(&out, 1, ms) > 0 && (out.revents & POLLOUT) && !(out.revents & (POLLERR | POLLHUP));
}

static void leave(void)
{
	endwin();
	tcsetattr(self.terminal.fd, TCSANOW, &self.terminal.before);
	watchdog_tell(&self.dog, WATCHDOG_AWAY);
}

void screen_close(void)
{
	if (self.terminal.fd < 0)
		return;
	/* ncurses writes until all is written: for a terminal that takes nothing the watchdog waits. */
	if (!self.screen)
		watchdog_tell(&self.dog, WATCHDOG_AWAY);
	else if (takes_text(LEAVE_MS))
		leave();
	watchdog_stop(&self.dog);
	if (self.screen)
		delscreen(self.screen);
	terminfo_close();
	if (self.in)
		fclose(self.in);
	if (self.out)
		fclose(self.out);
	close(self.terminal.fd);
	self.terminal.fd = -1;
}

/* The whole picture is written anew with the next frame. */
static void forget(void)
{
	clearok(stdscr, TRUE);
}

/* ---- using it --------------------------------------------------------------------- */

int screen_fd(void)
{
	return self.terminal.fd;
}

void screen_size(int *ret_rows, int *ret_columns)
{
	struct winsize size;

	*ret_rows = LINES;
	*ret_columns = COLS;
	if (ioctl(self.terminal.fd, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	*ret_rows = size.ws_row < FRAME_ROWS_MAX ? size.ws_row : FRAME_ROWS_MAX;
	*ret_columns = size.ws_col < FRAME_COLUMNS_MAX ? size.ws_col : FRAME_COLUMNS_MAX;
	if (is_term_resized(*ret_rows, *ret_columns)) {
		resizeterm(*ret_rows, *ret_columns);
		forget();
	}
}

bool screen_is_ready(void)
{
	return takes_text(0);
}

/* What is of one style at once. */
static void show_row(const struct frame *frame, int row)
{
	const struct cell *cells = &frame->cells[row * frame->columns], *end = cells + frame->columns;
	char run[FRAME_COLUMNS_MAX * sizeof(cells->bytes)], *to;

	move(row, 0);
	while (cells < end) {
		uint8_t style = cells->style;

		for (to = run; cells < end && cells->style == style; cells++)
			to = stpcpy(to, cells->bytes);
		attrset((int)self.attributes[style]);
		addstr(run);	/* fails in the last corner, having shown it */
	}
}

void screen_show(const struct frame *frame)
{
	erase();
	for (int row = 0; row < frame->rows; row++)
		show_row(frame, row);
	attrset(A_NORMAL);
	refresh();
}

static int translate(int key)
{
	static const struct {
		int curses, key;
	} rows[] = {
		{ KEY_UP, KEYS_UP }, { KEY_DOWN, KEYS_DOWN }, { KEY_LEFT, KEYS_LEFT },
		{ KEY_RIGHT, KEYS_RIGHT }, { KEY_PPAGE, KEYS_PAGE_UP }, { KEY_NPAGE, KEYS_PAGE_DOWN },
		{ KEY_HOME, KEYS_HOME }, { KEY_END, KEYS_END }, { KEY_ENTER, KEYS_ENTER },
		{ '\r', KEYS_ENTER }, { '\n', KEYS_ENTER }, { 27, KEYS_ESCAPE },
		{ KEY_BACKSPACE, KEYS_BACKSPACE }, { 127, KEYS_BACKSPACE }, { '\b', KEYS_BACKSPACE },
		{ '\t', KEYS_TAB }, { KEY_BTAB, KEYS_BACK_TAB },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].curses == key)
			return rows[i].key;
	return key < 0x80 ? key : SCREEN_NO_KEY;
}

/*
 * A byte of a character that has several; the character when it is whole. Not get_wch():
 * behind a byte that is none it swallows what is typed.
 */
static int assemble(unsigned char byte)
{
	size_t length;

	if (byte >= 0xc0 || self.n_typed == sizeof(self.typed))
		self.n_typed = 0;	/* it begins one */
	self.typed[self.n_typed++] = byte;
	length = utf8_length(self.typed, self.n_typed);
	if (!length)
		return SCREEN_NO_KEY;
	self.n_typed = 0;
	return (int)text_code_point(self.typed, length);
}

int screen_key(void)
{
	struct pollfd in = { .fd = self.terminal.fd, .events = POLLIN };
	int key, found;

	while ((key = getch()) != ERR) {
		if (key == 'L' - '@')
			forget();
		self.no_keys = 0;
		if (key >= 0x80 && key <= 0xff) {
			found = assemble((unsigned char)key);
		} else {
			self.n_typed = 0;
			found = translate(key);
		}
		if (found != SCREEN_NO_KEY)
			return found;
	}
	/* A terminal that is gone is readable for ever, and has nothing. */
	if (poll(&in, 1, 0) > 0 && ((in.revents & (POLLHUP | POLLERR)) || ++self.no_keys > 8))
		return -EIO;
	return SCREEN_NO_KEY;
}

void screen_come_back(void)
{
	if (!screen_is_ready())
		return;
	watchdog_tell(&self.dog, WATCHDOG_CHANGING);
	/* ncurses takes over only what it gave back. */
	if (!isendwin())
		endwin();
	refresh();
	watchdog_tell(&self.dog, WATCHDOG_HERE);
	forget();
}

void screen_suspend(void)
{
	sigset_t set, old;
	struct sigaction normal = { .sa_handler = SIG_DFL }, was;

	if (!takes_text(LEAVE_MS))
		return;
	leave();
	sigaction(SIGTSTP, &normal, &was);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);	/* here it stops, if there is a shell to continue it */
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &was, NULL);
	screen_come_back();
}

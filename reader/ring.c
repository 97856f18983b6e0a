/* SPDX-License-Identifier: MIT */
/* One BPF ring buffer: records to lines, given back once written. */
#include "reader/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/record_kind.h"

/* Documentation/bpf/ringbuf.rst: the consumer's page, the producer's, then the data. */
#define HEADER_BYTES BPF_RINGBUF_HDR_SZ
#define LENGTH_MASK (~(u32)(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))

static u32 header_at(const struct ring *ring, u64 position)
{
	const u32 *header = (const u32 *)(ring->data + (position & (ring->bytes - 1)));

	return __atomic_load_n(header, __ATOMIC_ACQUIRE);
}

static const u8 *record_at(const struct ring *ring, u64 position)
{
	return ring->data + (position & (ring->bytes - 1)) + HEADER_BYTES;
}

/* What a record takes in the ring. */
static u64 stride(u32 header)
{
	return ((header & LENGTH_MASK) + HEADER_BYTES + 7) & ~7ull;
}

/* A record that becomes a line, now and when it has become one. */
static bool is_line(const struct ring *ring, u64 position, u32 header)
{
	const struct record_kind *kind = record_kind_of(header, record_at(ring, position));

	return kind && kind->print & ring->types;
}

static void release(struct ring *ring, u64 position)
{
	ring->released = position;
	__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
}

static void on_written(struct line_source *source, unsigned int lines)
{
	struct ring *ring = (struct ring *)((char *)source - offsetof(struct ring, source));
	u64 position = ring->released;

	ring->pending -= lines;
	if (!ring->pending) {
		release(ring, ring->read);
		return;
	}
	while (lines) {
		u32 header = header_at(ring, position);

		lines -= is_line(ring, position, header);
		position += stride(header);
	}
	release(ring, position);
}

void ring_init(struct ring *ring, u64 *consumer, const u64 *producer, const u8 *data, u64 bytes)
{
	*ring = (struct ring){
		.source = { on_written, true },
		.consumer = consumer,
		.producer = producer,
		.data = data,
		.bytes = bytes,
	};
	ring->read = ring->released = __atomic_load_n(consumer, __ATOMIC_RELAXED);
}

int ring_open(struct ring *ring, int fd, u64 bytes, u32 generation, u32 cpu)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	ring_init(ring, consumer, producer, (const u8 *)producer + page, bytes);
	ring->generation = generation;
	ring->cpu = cpu;
	return 0;
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(ring->consumer, page);
	munmap((void *)ring->producer, page + 2 * ring->bytes);
}

/*
 * Lines of the records before end, until the sink's buffer is full. Sets *end to where
 * it stopped for good: at a record still being written.
 */
static int drain_some(struct ring *ring, struct drain *drain, u64 *end)
{
	struct sink *sink = drain->sink;
	char *p = sink_next(sink), *full = sink->buffer + sink->limit;
	unsigned int lines = 0;
	u64 position = ring->read;

	while (position < *end && p <= full && lines < sink->data_left) {
		const u8 *record = record_at(ring, position);
		u32 header = header_at(ring, position);
		const struct record_kind *kind;

		if (header & BPF_RINGBUF_BUSY_BIT) {
			*end = position;
			break;
		}
		kind = record_kind_of(header, record);
		drain->records += kind != NULL;
		if (kind && kind->print & drain->types) {
			p = kind->write(p, drain, record);
			lines++;
		}
		position += stride(header);
	}
	ring->read = position;
	ring->pending += lines;
	sink->data_left -= lines;
	if (!ring->pending && ring->released != position)
		release(ring, position);
	return sink_add(sink, p, lines, &ring->source);
}

int ring_drain(struct ring *ring, struct drain *drain)
{
	u64 end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	int err = drain->sink->error;

	ring->types = drain->types;
	drain->writer->offset_ns = drain->walltime.boot_offset_ns;
	while (ring->read < end && !err && drain->sink->data_left)
		err = drain_some(ring, drain, &end);
	return err;
}

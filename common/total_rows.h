/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The rows of an interface's totals: for each direction one per IP protocol and
 * one per named ethertype. Shared by BPF programs and user space.
 */
#ifndef JOPIL_TOTAL_ROWS_H
#define JOPIL_TOTAL_ROWS_H

#include "common/types.h"

/*
 * ETHERTYPE(id, number, name): IEEE 802 numbers, and 1 for 802.3 length fields.
 * IPv4 and IPv6 stand here for frames whose IP header is not whole.
 */
#define ETHERTYPES(ETHERTYPE) \
	ETHERTYPE(LLC, 0x0001, "LLC") \
	ETHERTYPE(BAD_IPV4, 0x0800, "0x0800") \
	ETHERTYPE(ARP, 0x0806, "ARP") \
	ETHERTYPE(WOL, 0x0842, "WoL") \
	ETHERTYPE(AVTP, 0x22f0, "AVTP") \
	ETHERTYPE(TRILL, 0x22f3, "TRILL") \
	ETHERTYPE(DECNET, 0x6003, "DECnet") \
	ETHERTYPE(RARP, 0x8035, "RARP") \
	ETHERTYPE(APPLETALK, 0x809b, "AppleTalk") \
	ETHERTYPE(AARP, 0x80f3, "AARP") \
	ETHERTYPE(VLAN, 0x8100, "VLAN") \
	ETHERTYPE(IPX, 0x8137, "IPX") \
	ETHERTYPE(BAD_IPV6, 0x86dd, "0x86dd") \
	ETHERTYPE(PAUSE, 0x8808, "PAUSE") \
	ETHERTYPE(LACP, 0x8809, "LACP") \
	ETHERTYPE(MPLS, 0x8847, "MPLS") \
	ETHERTYPE(MPLSMC, 0x8848, "MPLSmc") \
	ETHERTYPE(PPPOED, 0x8863, "PPPoED") \
	ETHERTYPE(PPPOE, 0x8864, "PPPoE") \
	ETHERTYPE(EAPOL, 0x888e, "EAPOL") \
	ETHERTYPE(PROFINET, 0x8892, "PROFINET") \
	ETHERTYPE(ETHERCAT, 0x88a4, "EtherCAT") \
	ETHERTYPE(QINQ, 0x88a8, "QinQ") \
	ETHERTYPE(GOOSE, 0x88b8, "GOOSE") \
	ETHERTYPE(LLDP, 0x88cc, "LLDP") \
	ETHERTYPE(MACSEC, 0x88e5, "MACsec") \
	ETHERTYPE(PTP, 0x88f7, "PTP") \
	ETHERTYPE(FCOE, 0x8906, "FCoE") \
	ETHERTYPE(LOOPBACK, 0x9000, "Loopback")

enum total_rows {
	TOTAL_BEFORE_ETHERTYPES = 255,	/* rows 0..255: IP protocols by number */
#define ETHERTYPE(id, number, name) TOTAL_##id,
	ETHERTYPES(ETHERTYPE)
#undef ETHERTYPE
	TOTAL_OTHER,			/* any ethertype not listed */
	TOTAL_ROWS,			/* per direction */
	TOTAL_ENTRIES = 2 * TOTAL_ROWS,	/* direction * TOTAL_ROWS + row */
};

/* The row of an IP protocol (ip_version 4, 6) or an ethertype (ip_version 0). */
static inline u32 total_row(u8 ip_version, u16 protocol)
{
	if (ip_version)
		return protocol & 0xff;
	switch (protocol) {
#define ETHERTYPE(id, number, name) case number: return TOTAL_##id;
	ETHERTYPES(ETHERTYPE)
#undef ETHERTYPE
	}
	return TOTAL_OTHER;
}

/* What is counted per interface, direction, row and CPU; plain adds. */
struct total_value {
	u64 packets;
	u64 bytes;
	u64 unattributed;
	u64 unattributed_bytes;
};

/* What is counted per interface, direction and CPU on the way to a line. */
struct loss_value {
	u64 packet_lines;
	u64 ring_full;
	u64 malformed;
};

#endif

/* SPDX-License-Identifier: MIT */
/* Integer names that mean the same in the kernel's programs and in user space. */
#ifndef JOPIL_TYPES_H
#define JOPIL_TYPES_H

#ifdef __bpf__
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#endif

/* First byte of a datagram; that of data holds three flags in its low bits. */

export const hello = 0xb1
export const welcome = 0xb2
export const refuse = 0xb3
export const bye = 0xb5
export const inquiry = 0xb6
export const answer = 0xb7
export const resume = 0xb8
export const challenge = 0xb9
export const response = 0xba
export const data = 0xc0

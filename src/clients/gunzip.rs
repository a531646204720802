//! Gzip (RFC 1952) → bytes: Helm keeps its releases, and charts are packed, so. Small texts, read now and then: what
//! counts is that nothing in a broken or hostile one does harm, so that every length is bounded and the sum is checked.

/// Lengths of matches: base and extra bits of the codes from 257 on (RFC 1951 section 3.2.5).
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// The order in which the lengths of the code length codes stand (RFC 1951 section 3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// Longest code in bits.
const LONGEST: usize = 15;

/// Unpacks one gzip member; `cap` is the most that it may hold.
///
/// # Errors
/// In words, if it is none, is cut off, holds more than `cap`, or its sum is wrong.
pub fn gunzip(packed: &[u8], cap: usize) -> Result<Vec<u8>, &'static str> {
    let mut bits = Bits {
        bytes: packed.get(header(packed)?..).ok_or(CUT)?,
        at: 0,
        held: 0,
        count: 0,
    };
    let mut out = Vec::new();
    loop {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out, cap)?,
            1 => {
                let (literals, distances) = fixed();
                block(&mut bits, &literals, &distances, &mut out, cap)?;
            }
            2 => {
                let (literals, distances) = dynamic(&mut bits)?;
                block(&mut bits, &literals, &distances, &mut out, cap)?;
            }
            _ => return Err("a block of a kind that there is not"),
        }
        if last {
            break;
        }
    }
    bits.align();
    let sum = bits.take(16)? | bits.take(16)? << 16;
    let size = bits.take(16)? | bits.take(16)? << 16;
    if sum != crc32(&out) || usize::try_from(size).ok() != Some(out.len()) {
        return Err("its sum is wrong: it was changed on the way");
    }
    Ok(out)
}

const CUT: &str = "it is cut off";
const TORN: &str = "its codes make no sense";
const LARGE: &str = "it holds more than is read";

/// Where the data begins.
fn header(packed: &[u8]) -> Result<usize, &'static str> {
    let [0x1f, 0x8b, 8, flags, ..] = packed else {
        return Err("it is no gzip");
    };
    let mut at = 10;
    if flags & 4 != 0 {
        let [low, high] = *packed.get(at..at + 2).ok_or(CUT)? else {
            return Err(CUT);
        };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let rest = packed.get(at..).ok_or(CUT)?;
            at += rest.iter().position(|byte| *byte == 0).ok_or(CUT)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok(at)
}

/// Bits, lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    /// At most 16 bits.
    fn take(&mut self, count: u32) -> Result<u32, &'static str> {
        while self.count < count {
            let byte = *self.bytes.get(self.at).ok_or(CUT)?;
            self.held |= u32::from(byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
        let taken = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        Ok(taken)
    }

    /// To the next whole byte.
    const fn align(&mut self) {
        let rest = self.count % 8;
        self.held >>= rest;
        self.count -= rest;
    }
}

/// A canonical code: how many codes there are of each length, and their symbols in order.
struct Codes {
    counts: [u16; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0_u16; LONGEST + 1];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut symbols: Vec<(u8, u16)> = (0_u16..)
            .zip(lengths)
            .filter(|(_, length)| **length > 0)
            .map(|(symbol, length)| (*length, symbol))
            .collect();
        symbols.sort_unstable();
        Self {
            counts,
            symbols: symbols.into_iter().map(|(_, symbol)| symbol).collect(),
        }
    }

    fn read(&self, bits: &mut Bits<'_>) -> Result<usize, &'static str> {
        let (mut code, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for count in &self.counts[1..] {
            let count = u32::from(*count);
            code |= bits.take(1)?;
            if let Some(beyond) = code.checked_sub(first)
                && beyond < count
            {
                let at = usize::try_from(index + beyond).map_err(|_| TORN)?;
                return self
                    .symbols
                    .get(at)
                    .map(|one| usize::from(*one))
                    .ok_or(TORN);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(TORN)
    }
}

fn fixed() -> (Codes, Codes) {
    let mut literals = [8_u8; 288];
    literals[144..256].fill(9);
    literals[256..280].fill(7);
    (Codes::new(&literals), Codes::new(&[5; 30]))
}

fn dynamic(bits: &mut Bits<'_>) -> Result<(Codes, Codes), &'static str> {
    let size = |bits: &mut Bits<'_>, count, least| {
        let size = usize::try_from(bits.take(count)?).map_err(|_| TORN)?;
        Ok::<_, &'static str>(size + least)
    };
    let literals = size(bits, 5, 257)?;
    let distances = size(bits, 5, 1)?;
    let described = size(bits, 4, 4)?;
    let mut lengths = [0_u8; 19];
    for place in ORDER.iter().take(described) {
        lengths[*place] = u8::try_from(bits.take(3)?).map_err(|_| TORN)?;
    }
    let codes = Codes::new(&lengths);
    let all = literals + distances;
    let mut lengths: Vec<u8> = Vec::with_capacity(all);
    while lengths.len() < all {
        let (value, times) = match codes.read(bits)? {
            16 => (*lengths.last().ok_or(TORN)?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (u8::try_from(length).map_err(|_| TORN)?, 1),
        };
        lengths.extend(std::iter::repeat_n(
            value,
            usize::try_from(times).map_err(|_| TORN)?,
        ));
    }
    if lengths.len() > all {
        return Err(TORN);
    }
    let (literals, distances) = lengths.split_at(literals);
    Ok((Codes::new(literals), Codes::new(distances)))
}

fn stored(bits: &mut Bits<'_>, out: &mut Vec<u8>, cap: usize) -> Result<(), &'static str> {
    bits.align();
    let (length, inverse) = (bits.take(16)?, bits.take(16)?);
    if length != !inverse & 0xffff {
        return Err(TORN);
    }
    for _ in 0..length {
        put(out, bits.take(8)?, cap)?;
    }
    Ok(())
}

fn put(out: &mut Vec<u8>, byte: u32, cap: usize) -> Result<(), &'static str> {
    if out.len() >= cap {
        return Err(LARGE);
    }
    out.push(u8::try_from(byte).map_err(|_| TORN)?);
    Ok(())
}

fn block(
    bits: &mut Bits<'_>,
    literals: &Codes,
    distances: &Codes,
    out: &mut Vec<u8>,
    cap: usize,
) -> Result<(), &'static str> {
    loop {
        let symbol = literals.read(bits)?;
        if symbol == 256 {
            return Ok(());
        }
        if let Ok(byte) = u8::try_from(symbol) {
            put(out, byte.into(), cap)?;
            continue;
        }
        let (base, extra) = *LENGTHS.get(symbol - 257).ok_or(TORN)?;
        let length = u32::from(base) + bits.take(extra.into())?;
        let symbol = distances.read(bits)?;
        // Two codes a power of two: 1, 2, 3, 4, 5-6, 7-8, 9-12, …
        let extra = u32::try_from(symbol / 2)
            .map_err(|_| TORN)?
            .saturating_sub(1);
        if symbol > 29 {
            return Err(TORN);
        }
        let base = if symbol < 2 {
            symbol + 1
        } else {
            ((2 + symbol % 2) << extra) + 1
        };
        let distance = base + usize::try_from(bits.take(extra)?).map_err(|_| TORN)?;
        for _ in 0..length {
            let from = out.len().checked_sub(distance).ok_or(TORN)?;
            let byte = u32::from(out[from]);
            put(out, byte, cap)?;
        }
    }
}

/// The sum of RFC 1952 section 8.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;

    use super::*;

    /// Made by Python's zlib: with fixed codes, with dynamic ones (a text of 579 bytes), with a file name.
    const FIXED: &str = "H4sIAAAAAAACA0tMRAJJyQCeDrSmDwAAAA==";
    const DYNAMIC: &str = "H4sIAAAAAAACAxXRyRHAMAzDwFZYgnVL/TcW5JeHowFnn85OG6upUU+rrlSWyghFuXxMdk/2Tr66HG23ZkvzUu2hSle2KfbJj2e2shhV66a0l1oLTbi6TDVPuad8q/CRZ8uad6nQufNhmn7kHDlLzpDT5BQ5SU7IzBWmq0fOkcOCxwJnQRY5HFsWPBY4C/JxipwlhwXGgihykpxQHguMBcGCPHJ4xzVy/q4kJ9RL/6Pf6Y8jZ8kZcui3UiQ5wX+uORYYC5wFueQMOSx4LHAWJOdctyx4LMBgMGgMCoPEIDEIDBwDm/+d6EdgERgEGoFGoBBIBAIBR8AQMAQAOAQWgUFgEGgECoFEIBAIBBwBQwCAQ+AeCzAYDBqDwiAxSAwCA8fAMPgJGADBBx0yg9ZDAgAA";
    const NAMED: &str = "H4sICF5PBmsC/3ZhbHVlcy55YW1sAMtIzcnJV8hAkACAiPnlEQAAAA==";

    fn unpacked(text: &str, cap: usize) -> Result<Vec<u8>, &'static str> {
        gunzip(&STANDARD.decode(text).expect("base64"), cap)
    }

    fn numbers() -> Vec<u8> {
        let numbers = (0..150).map(|n| (n * 7_919 % 1_000).to_string());
        let text: Vec<String> = numbers.collect();
        (text.join(" ") + " ").into_bytes()
    }

    #[test]
    fn what_others_have_packed_is_unpacked() {
        assert_eq!(unpacked(FIXED, 100).expect("fixed"), b"aaaaaaaaaaaaabc");
        assert_eq!(unpacked(DYNAMIC, 10_000).expect("dynamic"), numbers());
        assert_eq!(unpacked(NAMED, 100).expect("named"), b"hello hello hello");
        assert_eq!(unpacked(DYNAMIC, 100), Err(LARGE));
    }

    #[test]
    fn a_changed_bit_and_a_cut_end_are_seen() {
        let packed = STANDARD.decode(DYNAMIC).expect("base64");
        for at in [0, 2, 12, 40, packed.len() - 6, packed.len() - 1] {
            let mut torn = packed.clone();
            torn[at] ^= 0x10;
            assert!(gunzip(&torn, 10_000).is_err(), "byte {at}");
        }
        for length in 0..packed.len() {
            assert!(gunzip(&packed[..length], 10_000).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn nothing_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
            packed.extend(bytes);
            if let Ok(out) = gunzip(&packed, 4_096) {
                prop_assert!(out.len() <= 4_096);
            }
        }
    }
}

//! One `.tar.gz` (POSIX ustar in gzip, RFC 1952), the same bytes for the same files: no names, ids or times of this machine.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder, write::GzEncoder};
use sha2::{Digest as _, Sha256};

use crate::journal::files;

/// Size of a block of a tar archive.
const BLOCK: usize = 512;
/// Longest name and prefix of a ustar header.
const NAME: usize = 100;
const PREFIX: usize = 155;

/// Counts and hashes what goes through.
struct Counted<W> {
    inner: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Counted<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What gives the bytes of a file, the same each time: its length has to be known before they are written.
pub type Source<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// An archive being written. One that is not finished leaves no file.
pub struct Archive {
    out: Option<GzEncoder<Counted<BufWriter<File>>>>,
    path: PathBuf,
    /// The folder that everything in it lies in.
    folder: String,
    /// Seconds since 1970, for every file.
    time: u64,
    /// `SHA256SUMS`, so far.
    sums: String,
    files: usize,
}

impl Archive {
    /// Makes the file, 0600, never over one that is there.
    ///
    /// # Errors
    /// If it is there, or cannot be made.
    pub fn create(path: &Path, folder: &str, time: u64) -> io::Result<Self> {
        let file = files::private().write(true).create_new(true).open(path)?;
        let counted = Counted::new(BufWriter::with_capacity(256 * 1024, file));
        // 255: an operating system that is not told.
        let out = GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(counted, Compression::default());
        Ok(Self {
            out: Some(out),
            path: path.to_owned(),
            folder: folder.to_owned(),
            time,
            sums: String::new(),
            files: 0,
        })
    }

    /// Adds a file of a text.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.add(name, &mut |out| out.write_all(text.as_bytes()))
    }

    /// Adds a file. Its source is asked twice: for its length, and for its bytes.
    ///
    /// # Errors
    /// If the source fails or is not the same the second time, the name is too long, or the disk does not take it.
    pub fn add(&mut self, name: &str, source: Source<'_>) -> io::Result<()> {
        let mut sized = Counted::new(io::sink());
        source(&mut sized)?;
        let length = sized.bytes;
        let header = header(&self.folder, name, length, self.time)?;
        let Some(out) = &mut self.out else {
            return Err(io::Error::other("the archive is finished"));
        };
        out.write_all(&header)?;
        let mut written = Counted::new(&mut *out);
        source(&mut written)?;
        let same = written.bytes == length;
        let sum = hex(&written.hasher.finalize());
        if !same {
            return Err(io::Error::other(format!(
                "{name} changed while it was being packed; export it again"
            )));
        }
        let rest = usize::try_from(length % BLOCK as u64).unwrap_or(0);
        out.write_all(&vec![0; (BLOCK - rest) % BLOCK])?;
        self.sums.extend([sum.as_str(), "  ", name, "\n"]);
        self.files += 1;
        Ok(())
    }

    /// Adds the checksums and ends the archive, durably. The SHA-256 of the archive, its length, and how many files it has.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn finish(mut self) -> io::Result<(String, u64, usize)> {
        let sums = std::mem::take(&mut self.sums);
        self.text("SHA256SUMS", &sums)?;
        let files = self.files;
        let Some(mut out) = self.out.take() else {
            return Err(io::Error::other("the archive is finished"));
        };
        let ended = (|| {
            out.write_all(&[0; 2 * BLOCK])?;
            let mut counted = out.finish()?;
            counted.flush()?;
            counted.inner.get_ref().sync_all()?;
            Ok((hex(&counted.hasher.finalize()), counted.bytes, files))
        })();
        if ended.is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
        ended
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if self.out.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The header of a regular file (POSIX.1-2017, pax, section "ustar Interchange Format").
fn header(folder: &str, name: &str, length: u64, time: u64) -> io::Result<[u8; BLOCK]> {
    if name.len() > NAME || folder.len() > PREFIX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!("{folder}/{name} is too long a name for an archive"),
        ));
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if length < 1 << 33 {
        put(124, format!("{length:011o}\0").as_bytes());
    } else {
        // In binary, as GNU tar and bsdtar read it.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &length.to_be_bytes());
    }
    put(136, format!("{time:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(345, folder.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_not_finished_leaves_nothing_and_none_is_written_over() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("a.tar.gz");
        let mut archive = Archive::create(&path, "one", 7).expect("made");
        assert!(Archive::create(&path, "one", 7).is_err(), "written over");
        let mut calls = 0;
        let changed = archive.add("grows", &mut |out| {
            calls += 1;
            out.write_all(&vec![b'x'; calls])
        });
        assert!(changed.expect_err("changed").to_string().contains("again"));
        assert!(
            archive.text(&"x".repeat(101), "").is_err(),
            "too long a name"
        );
        drop(archive);
        assert!(!path.exists());
    }
}

//! The beginning of a TLS handshake that lets MS-TURN through firewalls on port 443; nothing is encrypted.

use crate::error::{ParseError, Rule};

/// Octets of the client's hello.
///
/// MS-TURN 2.1
pub const CLIENT_HELLO: usize = 50;

/// Octets of the server's hello.
///
/// MS-TURN 2.1
pub const SERVER_HELLO: usize = 83;

const CLIENT: [u8; CLIENT_HELLO] = {
    let mut hello = [0; CLIENT_HELLO];
    put(&mut hello, 0, &[0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01]);
    put(&mut hello, 43, &[0x00, 0x00, 0x02, 0x00, 0x18, 0x01, 0x00]);
    hello
};

const SERVER: [u8; SERVER_HELLO] = {
    let mut hello = [0; SERVER_HELLO];
    put(&mut hello, 0, &[0x16, 0x03, 0x01, 0x00, 0x4e, 0x02, 0x00, 0x00, 0x46, 0x03, 0x01]);
    put(&mut hello, 43, &[0x20]);
    put(&mut hello, 76, &[0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00]);
    hello
};

const fn put<const N: usize>(hello: &mut [u8; N], at: usize, octets: &[u8]) {
    let mut index = 0;
    while index < octets.len() {
        hello[at + index] = octets[index];
        index += 1;
    }
}

/// The client's hello, with its random octets.
///
/// MS-TURN 2.1
pub fn client_hello(random: [u8; 32]) -> [u8; CLIENT_HELLO] {
    let mut hello = CLIENT;
    hello[11..43].copy_from_slice(&random);
    hello
}

/// The server's hello, with its random octets and the name of a session.
///
/// MS-TURN 2.1
pub fn server_hello(random: [u8; 32], session: [u8; 32]) -> [u8; SERVER_HELLO] {
    let mut hello = SERVER;
    hello[11..43].copy_from_slice(&random);
    hello[44..76].copy_from_slice(&session);
    hello
}

/// Whose hello is read.
///
/// MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hello {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// Reads a hello at the start of a stream: its length once it is whole, nothing before.
///
/// Random octets and the name of the session may be anything.
///
/// MS-TURN 2.1
pub fn read_hello(whose: Hello, stream: &[u8]) -> Result<Option<usize>, ParseError> {
    let (expected, session): (&[u8], _) = match whose {
        Hello::Client => (&CLIENT, 43..43),
        Hello::Server => (&SERVER, 44..76),
    };
    for (at, (octet, expected)) in stream.iter().zip(expected).enumerate() {
        if octet != expected && !(11..43).contains(&at) && !session.contains(&at) {
            return Err(ParseError::new(at, Rule::PseudoTls));
        }
    }
    Ok((stream.len() >= expected.len()).then_some(expected.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_octet_outside_of_the_random_ones_is_fixed() {
        let client = client_hello([9; 32]);
        assert_eq!(read_hello(Hello::Client, &client).unwrap(), Some(50));
        for at in 0..50 {
            let mut changed = client;
            changed[at] ^= 1;
            assert_eq!(read_hello(Hello::Client, &changed).is_ok(), (11..43).contains(&at), "{at}");
        }
        let server = server_hello([9; 32], [8; 32]);
        assert_eq!(read_hello(Hello::Server, &server).unwrap(), Some(83));
        for at in 0..83 {
            let mut changed = server;
            changed[at] ^= 1;
            let free = (11..43).contains(&at) || (44..76).contains(&at);
            assert_eq!(read_hello(Hello::Server, &changed).is_ok(), free, "{at}");
            assert_eq!(read_hello(Hello::Server, &server[..at]).unwrap(), None);
        }
    }
}

//! Voice channels: which are free, and how many a call may still take.

use std::collections::{BTreeMap, VecDeque};

use crate::media::plan::{Channel, ChannelId};

/// The voice channels of the node.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    all: BTreeMap<ChannelId, Channel>,
    free: VecDeque<ChannelId>,
}

impl Channels {
    /// All of them free.
    pub(crate) fn new(channels: Vec<Channel>) -> Self {
        let free = channels.iter().map(|channel| channel.id).collect();
        Self { all: channels.into_iter().map(|channel| (channel.id, channel)).collect(), free }
    }

    /// Takes the channel that has been free the longest, so that late packets of an ended call find nobody.
    pub(crate) fn take(&mut self) -> Option<Channel> {
        let id = self.free.pop_front()?;
        self.all.get(&id).copied()
    }

    /// Gives a channel back.
    pub(crate) fn give_back(&mut self, id: ChannelId) {
        if self.all.contains_key(&id) && !self.free.contains(&id) {
            self.free.push_back(id);
        }
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        self.all.len()
    }

    /// How many are taken.
    pub(crate) fn in_use(&self) -> usize {
        self.all.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr};

    fn channel(id: u16) -> Channel {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + id));
        Channel { id: ChannelId(id), network_rtp: address, network_rtcp: address, radio: address }
    }

    #[test]
    fn a_channel_is_free_once() {
        let mut channels = Channels::new(vec![channel(1), channel(2)]);
        let first = channels.take().map(|channel| channel.id);
        let second = channels.take().map(|channel| channel.id);
        assert_eq!(
            (first, second, channels.take().is_none()),
            (Some(ChannelId(1)), Some(ChannelId(2)), true)
        );
        channels.give_back(ChannelId(1));
        channels.give_back(ChannelId(1));
        channels.give_back(ChannelId(9));
        assert_eq!((channels.in_use(), channels.total()), (1, 2));
    }
}

//! The slots of the wheel and their records, in pages that are used again.

pub(super) const BITS: u32 = 8;
pub(super) const SLOTS: usize = 1 << BITS;
pub(super) const LEVELS: usize = 6;
const WORDS: usize = SLOTS / 64;
/// Records of a page.
const PAGE: usize = 240;
/// No page.
const NOWHERE: u32 = u32::MAX;
/// Slots that a place can name, whatever it was made of: nothing has to be compared to find one.
const PLACES: usize = u64::BITS as usize / BITS as usize * SLOTS;

/// Where the next record of a slot is written, and where its page ends.
#[derive(Clone, Copy, Debug)]
struct Slot {
    next: u32,
    end: u32,
}

/// The pages of one slot, taken out of it: the last of them, and how many records that has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    page: u32,
    used: u32,
}

/// A page that was taken out of a slot, and how many records it has; it is given back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    page: u32,
    pub(super) used: usize,
}

const EMPTY: Slot = Slot { next: 0, end: 0 };

/// All records, the places of waiters that are to be looked at: each in the slot of the time when that is, in the order in which
/// they were appended.
#[derive(Clone, Debug)]
pub(super) struct Records {
    /// Of all pages, one after the other.
    pages: Vec<u32>,
    /// Of each page, the one that was begun after it; of the last one of a slot, the first; of a free one, the next free one.
    chained: Vec<u32>,
    free: u32,
    /// Full pages that are in use.
    full: usize,
    slots: Box<[Slot; PLACES]>,
    occupied: [[u64; WORDS]; LEVELS],
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            pages: Vec::new(),
            chained: Vec::new(),
            free: NOWHERE,
            full: 0,
            slots: Box::new([EMPTY; PLACES]),
            occupied: [[0; WORDS]; LEVELS],
        }
    }

    /// Room for so many, asked for before it is needed.
    pub(super) fn reserve(&mut self, records: usize) {
        self.pages.resize(records + SLOTS * PAGE, 0);
        self.pages.clear();
    }

    /// How many records are in pages that are full.
    pub(super) fn in_full_pages(&self) -> usize {
        self.full * PAGE
    }

    /// Appends a record where the page has room, and says whether it had; or writes but does not count it, where the machine cannot
    /// foresee whether it is needed.
    #[inline]
    pub(super) fn append_here(&mut self, place: usize, index: u32, needed: bool) -> bool {
        let slot = &mut self.slots[place];
        if slot.next == slot.end {
            return false;
        }
        self.pages[slot.next as usize] = index;
        slot.next += u32::from(needed);
        true
    }

    /// Appends a record.
    #[inline]
    pub(super) fn append(&mut self, place: usize, index: u32) {
        if !self.append_here(place, index, true) {
            self.turn(place, index);
        }
    }

    /// Begins a page with a record.
    #[cold]
    fn turn(&mut self, place: usize, index: u32) {
        let last = self.slots[place].end;
        let mut page = self.free;
        if page == NOWHERE {
            page = self.chained.len() as u32;
            self.pages.resize(self.pages.len() + PAGE, 0);
            self.chained.push(page);
        } else {
            self.free = self.chained[page as usize];
        }
        let start = page * PAGE as u32;
        self.slots[place] = Slot { next: start + 1, end: start + PAGE as u32 };
        self.pages[start as usize] = index;
        if last == EMPTY.end {
            self.chained[page as usize] = page;
            self.occupied[place / SLOTS][place % SLOTS / 64] |= 1 << (place % 64);
        } else {
            self.full += 1;
            let last = last as usize / PAGE - 1;
            self.chained[page as usize] = std::mem::replace(&mut self.chained[last], page);
        }
    }

    /// Empties a slot; what it had.
    pub(super) fn take(&mut self, place: usize) -> Chain {
        self.occupied[place / SLOTS][place % SLOTS / 64] &= !(1 << (place % 64));
        let Slot { next, end } = std::mem::replace(&mut self.slots[place], EMPTY);
        if end == EMPTY.end {
            return Chain { page: NOWHERE, used: 0 };
        }
        let page = end / PAGE as u32 - 1;
        Chain { page, used: next - page * PAGE as u32 }
    }

    /// The first page of what was taken.
    pub(super) fn unchain(&mut self, chain: &mut Chain) -> Option<Taken> {
        let page = *self.chained.get(chain.page as usize)?;
        if page == chain.page {
            let used = chain.used as usize;
            chain.page = NOWHERE;
            return Some(Taken { page, used });
        }
        self.chained[chain.page as usize] = self.chained[page as usize];
        self.full -= 1;
        Some(Taken { page, used: PAGE })
    }

    /// The records of a page.
    #[inline]
    pub(super) fn of(&self, taken: Taken) -> &[u32] {
        &self.pages[taken.page as usize * PAGE..][..taken.used]
    }

    pub(super) fn give_back(&mut self, taken: Taken) {
        self.chained[taken.page as usize] = self.free;
        self.free = taken.page;
    }

    /// The lowest level that has records, and its first slot.
    pub(super) fn first(&self) -> Option<(usize, usize)> {
        for (level, words) in self.occupied.iter().enumerate() {
            for (place, word) in words.iter().enumerate() {
                if *word != 0 {
                    return Some((level, place * 64 + word.trailing_zeros() as usize));
                }
            }
        }
        None
    }
}

//! The slots of the wheel and their records, in pages that are used again.

pub(super) const BITS: u32 = 8;
pub(super) const SLOTS: usize = 1 << BITS;
pub(super) const LEVELS: usize = 6;
const WORDS: usize = SLOTS / 64;
/// Records of a page.
const PAGE: usize = 240;
/// No page.
const NOWHERE: u32 = u32::MAX;

/// Records: the places of waiters that are to be looked at.
type Page = [u32; PAGE];

/// The records of one slot: the page that is filled now, and how far it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    page: u32,
    used: u32,
}

/// A page that was taken out of a slot, and how many records it has; it is given back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    page: u32,
    pub(super) used: usize,
}

const BLANK: Page = [0; PAGE];
const EMPTY: Slot = Slot { page: NOWHERE, used: PAGE as u32 };

/// All records, each in the slot of the time when it is looked at, in the order in which they were appended.
#[derive(Clone, Debug)]
pub(super) struct Records {
    pages: Vec<Page>,
    /// Of each page, the one that was begun after it; of the last one of a slot, the first; of a free one, the next free one.
    chained: Vec<u32>,
    free: u32,
    /// Full pages that are in use.
    full: usize,
    slots: Vec<Slot>,
    occupied: [[u64; WORDS]; LEVELS],
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            pages: Vec::new(),
            chained: Vec::new(),
            free: NOWHERE,
            full: 0,
            slots: vec![EMPTY; LEVELS * SLOTS],
            occupied: [[0; WORDS]; LEVELS],
        }
    }

    /// Room for so many, asked for before it is needed.
    pub(super) fn reserve(&mut self, records: usize) {
        self.pages.resize(records / PAGE + SLOTS, BLANK);
        self.pages.clear();
    }

    /// How many records are in pages that are full.
    pub(super) fn in_full_pages(&self) -> usize {
        self.full * PAGE
    }

    /// Whether the next record of a slot begins a page.
    #[inline]
    pub(super) fn is_full(&self, place: usize) -> bool {
        self.slots[place].used == PAGE as u32
    }

    /// Appends a record; or writes but does not count it, where the machine cannot foresee whether it is needed.
    #[inline]
    pub(super) fn append(&mut self, place: usize, index: u32, needed: bool) {
        if self.is_full(place) {
            self.turn(place);
        }
        let slot = &mut self.slots[place];
        self.pages[slot.page as usize][slot.used as usize] = index;
        slot.used += u32::from(needed);
    }

    /// Begins a page.
    #[cold]
    fn turn(&mut self, place: usize) {
        let last = self.slots[place].page;
        let mut page = self.free;
        if page == NOWHERE {
            page = self.pages.len() as u32;
            self.pages.push(BLANK);
            self.chained.push(page);
        } else {
            self.free = self.chained[page as usize];
        }
        self.slots[place] = Slot { page, used: 0 };
        if last == NOWHERE {
            self.chained[page as usize] = page;
            self.occupied[place / SLOTS][place % SLOTS / 64] |= 1 << (place % 64);
        } else {
            self.full += 1;
            self.chained[page as usize] = std::mem::replace(&mut self.chained[last as usize], page);
        }
    }

    /// Empties a slot; what it had.
    pub(super) fn take(&mut self, place: usize) -> Slot {
        self.occupied[place / SLOTS][place % SLOTS / 64] &= !(1 << (place % 64));
        std::mem::replace(&mut self.slots[place], EMPTY)
    }

    /// The first page of what was taken.
    pub(super) fn unchain(&mut self, chain: &mut Slot) -> Option<Taken> {
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
        &self.pages[taken.page as usize][..taken.used]
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

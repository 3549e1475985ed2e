//! Who is who in calls between telephones and a handset: each speaks a tone of its own.

#![allow(dead_code, reason = "each test uses its part")]

use std::cell::Cell;

use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;

use crate::handsets::Handset;
use crate::secure_telephones::{Telephone, tone, until};
use crate::sipe::share_of_tone;

/// The tones by which everybody is told from the others.
pub(crate) const HANDSET: f64 = 800.0;
pub(crate) const TELEPHONE: f64 = 440.0;
pub(crate) const TRANSFEROR: f64 = 1200.0;

/// A number, so that a handset can dial it.
pub(crate) const NUMBER: &str = "+14255550101";

/// The two forms of our lines: with MKI and lifetime, and without.
pub(crate) const MEDIA: [&str; 2] = [
    "srtp = \"required\"\ninclude_mki = true\ninclude_lifetime = true",
    "srtp = \"required\"\ninclude_mki = false\ninclude_lifetime = false",
];

/// All calls of a telephone that have begun have ended.
pub(crate) fn is_idle(telephone: &impl Telephone) -> bool {
    let (begun, ended) = telephone.begun_and_ended();
    begun == ended
}

/// The handset answers the call that rings or is about to.
pub(crate) async fn answers(handset: &mut Handset) {
    handset.until(|event| matches!(event, HandsetEvent::Ring { .. })).await;
    handset.does(HandsetCommand::Answer).await;
    handset.until(|event| *event == HandsetEvent::Connected).await;
}

/// Both sides speak until the telephone has heard a second of the handset, which then hangs up; it has heard the telephone.
pub(crate) async fn talk(handset: &mut Handset, telephone: &impl Telephone) {
    handset.plays(tone(HANDSET, 60)).await;
    // A new call may go on with the file of the last one, or begin another.
    let before = Cell::new(telephone.heard().len());
    until(telephone, "hearing the handset", |telephone| {
        let heard = telephone.heard();
        before.set(before.get().min(heard.len()));
        let last = heard.get(heard.len().saturating_sub(8_000)..).unwrap_or_default();
        heard.len() >= before.get() + 8_000
            && last.chunks(800).all(|piece| share_of_tone(piece, HANDSET) > 0.9)
    });
    handset.does(HandsetCommand::HangUp).await;
    let heard = handset.heard().await;
    let share = share_of_tone(&heard, TELEPHONE);
    assert!(share > 0.9, "the handset heard {} samples, {share:.2} tone: {}", heard.len(), telephone.said());
    until(telephone, "the end of the call", is_idle);
}

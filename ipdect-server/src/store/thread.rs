//! The thread that owns the store.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

use super::{Store, StoreError};
use crate::core::vocabulary::StoreWrite;

/// How many things may wait to be kept.
const QUEUE: usize = 16_384;
/// How many things go into one transaction at most.
const BATCH: usize = 512;

type Question = Box<dyn FnOnce(&mut Store) + Send>;

enum Job {
    Write(StoreWrite),
    Ask(Question),
}

/// The store's thread has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store has stopped")]
pub struct StoreStopped;

/// The way to the store: cheap to clone; the thread ends when the last one is gone and all is kept.
#[derive(Clone, Debug)]
pub struct StoreHandle {
    jobs: SyncSender<Job>,
}

impl StoreHandle {
    /// Moves a store to a thread of its own. Join the second value to be sure that everything is kept.
    pub fn start(store: Store) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = Builder::new().name("store".to_owned()).spawn(move || run(store, &queue))?;
        Ok((Self { jobs }, thread))
    }

    /// Keeps something, some time soon. Never waits; false if the store is so far behind that it was dropped.
    pub fn write(&self, write: StoreWrite) -> bool {
        match self.jobs.try_send(Job::Write(write)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Asks the store, after everything that was written before.
    pub async fn ask<T, F>(&self, question: F) -> Result<T, StoreStopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> T + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let question: Question = Box::new(move |store| {
            // Nobody waits any more if the browser has gone.
            let _ = answer.send(question(store));
        });
        self.jobs.try_send(Job::Ask(question)).map_err(|_| StoreStopped)?;
        wait.await.map_err(|_| StoreStopped)
    }
}

fn run(mut store: Store, queue: &Receiver<Job>) {
    let mut writes = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Write(write) => writes.push(write),
                Job::Ask(question) => {
                    keep(&mut store, &mut writes);
                    question(&mut store);
                }
            }
            if writes.len() < BATCH {
                next = queue.try_recv().ok();
            }
        }
        keep(&mut store, &mut writes);
    }
}

fn keep(store: &mut Store, writes: &mut Vec<StoreWrite>) {
    if writes.is_empty() {
        return;
    }
    if let Err(first) = store.write_all(writes) {
        // One of them may be at fault: the others shall not be lost with it.
        let lost: Vec<StoreError> = writes.iter().filter_map(|write| store.write(write).err()).collect();
        if lost.is_empty() {
            tracing::warn!("{first}; kept at the second attempt");
        } else {
            tracing::error!("{first}; {} of {} entries are lost", lost.len(), writes.len());
        }
    }
    writes.clear();
}

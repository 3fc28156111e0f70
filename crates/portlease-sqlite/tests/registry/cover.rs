//! A process that loads only what it does not know yet decides as one that knows everything.

use portlease_core::{
    Command, Facts, Leases, MemoryStore, Name, Port, PortRange, PortSet, Release, Request, Scope,
    Service, Store, Timestamp, TransactError,
};
use portlease_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::support::{Folder, RANGE, host, release, reserve};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % below
    }

    fn project(&mut self) -> Name {
        Name::literal(&format!("project-{}", self.roll(60)))
    }

    fn range(&mut self) -> PortRange {
        let first = 3001 + self.roll(400);
        let count = 1 + self.roll(150);
        PortRange::starting_at(port(first), u16::try_from(count).unwrap())
    }

    fn command(&mut self) -> Command {
        let project = self.project();
        if self.roll(3) == 0 {
            return Command::Release(Release::by_project(project));
        }
        let services = (0..=self.roll(3)).map(|number| {
            let mut service = Service::in_range(Name::literal(&format!("s{number}")), self.range());
            service.spillover = vec![self.range()];
            service
        });
        Command::Reserve(Request::new(project, services.collect()))
    }

    fn scope(&mut self) -> Scope {
        let mut ports = PortSet::new();
        let mut projects = Vec::new();
        match self.roll(8) {
            0 => return Scope::Everything,
            1 => projects.extend((0..self.roll(50)).map(|_| self.project())),
            2 => ports.extend((0..self.roll(100)).map(|_| port(3001 + self.roll(400)))),
            3 => projects.push(self.project()),
            4 => {
                projects.push(self.project());
                ports.insert_range(self.range());
            }
            _ => ports.insert_range(self.range()),
        }
        Scope::Rows { projects, ports }
    }
}

fn port(number: u64) -> Port {
    Port::new(u16::try_from(number).unwrap()).unwrap()
}

/// The same commands go to a registry file and to one in memory; another process writes to the file
/// now and then, or never.
fn check(seed: u64, steps: u64, others_write_every: Option<u64>) {
    let folder = Folder::new();
    let [mut store, other] = [(); 2].map(|()| SqliteStore::open(folder.registry()).unwrap());
    let known = MemoryStore::new();
    let mut dice = Dice(seed);
    for step in 0..steps {
        if step % 16 == 15 {
            // Who made a host knows everything of it; who comes later does not.
            store = SqliteStore::open(folder.registry()).unwrap();
        }
        let command = dice.command();
        let facts = Facts::at(Timestamp::from_millis(step));
        let is_others = others_write_every.is_some_and(|every| step % every == 0);
        let writer = if is_others { &other } else { &store };
        let told = writer.transact(&host(), &command, &facts);
        let expected = known.transact(&host(), &command, &facts);
        assert!(!matches!(told, Err(TransactError::Store(_))), "{told:?}");
        assert_eq!(told, expected, "step {step} of seed {seed}");

        let scope = dice.scope();
        let loaded = store.load(&host(), &scope).unwrap();
        let expected = known.load(&host(), &scope).unwrap();
        let place = format!("step {step} of seed {seed}, {scope:?}");
        assert_eq!(loaded.within(&scope), expected.within(&scope), "{place}");
    }
}

#[test]
fn alone() {
    for seed in 0..20 {
        check(seed, 80, None);
    }
}

#[test]
fn among_others() {
    for seed in 20..30 {
        check(seed, 80, Some(7));
    }
}

#[test]
fn among_others_who_do_most() {
    for seed in 30..40 {
        check(seed, 80, Some(2));
    }
}

/// One process knows a range; others change it so often meanwhile; then it has to know it again.
fn check_after(changes: u64) {
    let folder = Folder::new();
    let other = SqliteStore::open(folder.registry()).unwrap();
    let stays = reserve(&other, "stays").unwrap();
    let store = SqliteStore::open(folder.registry()).unwrap();
    let ports = |leases: &Leases| leases.ports().iter().collect::<Vec<_>>();
    assert_eq!(ports(&store.load(&host(), &scope()).unwrap()), [stays.port]);
    for number in 0..changes / 2 {
        let lease = reserve(&other, &format!("project-{number}")).unwrap();
        release(&other, &lease).unwrap();
    }
    let comes = reserve(&other, "comes").unwrap();
    release(&other, &stays).unwrap();
    let known = store.load(&host(), &scope()).unwrap();
    assert_eq!(known, other.load(&host(), &scope()).unwrap());
    assert_eq!(ports(&known), [comes.port], "after {changes} changes");
}

fn scope() -> Scope {
    Scope::Rows {
        projects: Vec::new(),
        ports: RANGE.into(),
    }
}

#[test]
fn others_change_less_or_more_than_is_written_down() {
    for changes in [0, 2, 300, 1500] {
        check_after(changes);
    }
}

#[test]
fn a_lease_that_somebody_removes_by_hand_is_gone() {
    let folder = Folder::new();
    let maker = SqliteStore::open(folder.registry()).unwrap();
    let lease = reserve(&maker, "shop").unwrap();
    drop(maker);
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(store.load(&host(), &scope()).unwrap().len(), 1);

    let connection = Connection::open(folder.registry()).unwrap();
    let removed = connection.execute("DELETE FROM lease", ()).unwrap();
    assert_eq!(removed, 1);
    assert!(store.load(&host(), &scope()).unwrap().is_empty());
    assert_eq!(reserve(&store, "blog").unwrap().port, lease.port);
}

use super::*;
use crate::practice::dns::book::tests::book;

const T0: Moment = Moment::from_secs(5_000);

fn at(seconds: u64) -> Moment {
    T0.plus(Duration::from_secs(seconds))
}

/// First address and TTL, or the code.
fn ask(
    cache: &mut Cache,
    second: u64,
    upstream: Option<&Book>,
) -> Result<(String, u32), ResponseCode> {
    let name = absolute("tele.example.com").expect("a name");
    let told = cache.ask(&name, RecordType::A, at(second), upstream);
    match told.answers.first() {
        Some(record) => Ok((record.data.to_string(), record.ttl)),
        None => Err(told.rcode),
    }
}

fn old() -> Book {
    book()
}

fn new() -> Book {
    book().with("tele.example.com", "A", 10, "198.51.100.1")
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what `ask` gives"
)]
fn is(address: &str, ttl: u32) -> Result<(String, u32), ResponseCode> {
    Ok((address.to_owned(), ttl))
}

#[test]
fn an_honest_cache_counts_down_and_switches_when_its_copy_has_run_out() {
    let mut cache = Cache::new(CacheSpec::honest("x"));
    assert_eq!(ask(&mut cache, 0, Some(&old())), is("192.0.2.1", 30));
    assert_eq!(ask(&mut cache, 12, Some(&new())), is("192.0.2.1", 18));
    assert_eq!(ask(&mut cache, 29, Some(&new())), is("192.0.2.1", 1));
    assert_eq!(ask(&mut cache, 30, Some(&new())), is("198.51.100.1", 10));
}

#[test]
fn a_floor_keeps_copies_longer_and_a_cap_shorter() {
    let mut spec = CacheSpec::honest("floor");
    spec.min_ttl = 100;
    let mut cache = Cache::new(spec);
    assert_eq!(ask(&mut cache, 0, Some(&old())), is("192.0.2.1", 100));
    assert_eq!(ask(&mut cache, 99, Some(&new())), is("192.0.2.1", 1));
    assert_eq!(ask(&mut cache, 100, Some(&new())), is("198.51.100.1", 100));
    let mut spec = CacheSpec::honest("cap");
    spec.max_ttl = 5;
    let mut cache = Cache::new(spec);
    assert_eq!(ask(&mut cache, 0, Some(&old())), is("192.0.2.1", 5));
    assert_eq!(ask(&mut cache, 5, Some(&new())), is("198.51.100.1", 5));
}

#[test]
fn a_stale_copy_is_served_only_while_the_authorities_fail() {
    let mut spec = CacheSpec::honest("stale");
    spec.stale = 60;
    let mut cache = Cache::new(spec);
    assert_eq!(ask(&mut cache, 0, Some(&old())), is("192.0.2.1", 30));
    assert_eq!(ask(&mut cache, 40, None), is("192.0.2.1", STALE_TTL));
    assert_eq!(ask(&mut cache, 91, None), Err(ResponseCode::ServFail));
    assert_eq!(ask(&mut cache, 92, Some(&new())), is("198.51.100.1", 10));
    let mut honest = Cache::new(CacheSpec::honest("honest"));
    assert_eq!(ask(&mut honest, 0, Some(&old())), is("192.0.2.1", 30));
    assert_eq!(ask(&mut honest, 40, None), Err(ResponseCode::ServFail));
}

#[test]
fn several_caches_behind_one_address_flip() {
    let mut spec = CacheSpec::honest("anycast");
    spec.caches = 2;
    let mut cache = Cache::new(spec);
    assert_eq!(ask(&mut cache, 0, Some(&old())), is("192.0.2.1", 30));
    assert_eq!(ask(&mut cache, 9, Some(&new())), is("198.51.100.1", 10));
    assert_eq!(ask(&mut cache, 10, Some(&new())), is("192.0.2.1", 20));
    assert_eq!(ask(&mut cache, 11, Some(&new())), is("198.51.100.1", 8));
}

#[test]
fn that_a_name_is_missing_is_remembered_too() {
    let missing = book().with("tele.example.com", "TXT", 5, "x");
    let mut cache = Cache::new(CacheSpec::honest("x"));
    assert_eq!(
        ask(&mut cache, 0, Some(&missing)),
        Err(ResponseCode::NoError)
    );
    assert_eq!(
        ask(&mut cache, 14, Some(&new())),
        Err(ResponseCode::NoError)
    );
    assert_eq!(ask(&mut cache, 15, Some(&new())), is("198.51.100.1", 10));
}

#[test]
fn random_labels_do_not_fill_it() {
    let (book, mut cache) = (old(), Cache::new(CacheSpec::honest("x")));
    for label in 0..2 * MOST {
        let name = absolute(&format!("r{label}.tele.example.com")).expect("a name");
        let told = cache.ask(&name, RecordType::A, T0, Some(&book));
        assert_eq!(told.answers.len(), 2);
    }
    assert!(cache.shelves[0].len() <= MOST);
}

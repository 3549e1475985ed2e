//! What authentication and key allocation yield.

use clap::{Args, Subcommand, ValueEnum};
use dect_nwk::authentication::{AuthenticationCode, Key128, dsaa, dsaa2};
use serde_json::{Value, json};

use crate::{Bad, hex, octets};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Algorithm {
    Dsaa,
    Dsaa2,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    procedure: Option<Procedure>,
    /// The algorithm.
    #[arg(long, required = true)]
    algorithm: Option<Algorithm>,
    /// An authentication code of 4 octets or a key of 16.
    #[arg(long, required = true)]
    key: Option<String>,
    #[command(flatten)]
    values: Values,
}

#[derive(Args)]
struct Values {
    /// The session value: 8 octets, for DSAA2 16.
    #[arg(long, required = true)]
    rs: Option<String>,
    /// The challenge of the fixed part: 8 octets.
    #[arg(long)]
    rand_f: Option<String>,
    /// The challenge of the portable part: 8 octets.
    #[arg(long)]
    rand_p: Option<String>,
}

#[derive(Subcommand)]
enum Procedure {
    /// Derives the user authentication key from a PIN.
    KeyAllocation {
        /// The algorithm.
        #[arg(long, default_value = "dsaa")]
        algorithm: Algorithm,
        /// The PIN.
        #[arg(long)]
        pin: String,
        #[command(flatten)]
        values: Values,
    },
}

fn array<const N: usize>(name: &str, text: &str) -> Result<[u8; N], Bad> {
    let octets = octets(text).map_err(|bad| Bad { error: format!("{name}: {}", bad.error), ..bad })?;
    octets.try_into().map_err(|_| Bad::new(format!("{name}: not {N} octets")))
}

/// The values an authentication yields, `null` where a challenge is missing.
pub(crate) fn compute(arguments: &Arguments) -> Result<Value, Bad> {
    if let Some(Procedure::KeyAllocation { algorithm, pin, values }) = &arguments.procedure {
        let code = AuthenticationCode::from_pin(pin)?;
        let mut result = values_of(*algorithm, &code.b1(), values)?;
        result["ac"] = hex(code.octets()).into();
        result["key"] = hex(code.b1().octets()).into();
        result["uak"] = result["ks_reverse"].clone();
        return Ok(result);
    }
    let (Some(algorithm), Some(text)) = (arguments.algorithm, &arguments.key) else {
        return Err(Bad::new("--algorithm and --key are needed"));
    };
    let key = match text.len() {
        8 => AuthenticationCode::new(array("--key", text)?).b1(),
        _ => Key128::new(array("--key", text)?),
    };
    values_of(algorithm, &key, &arguments.values)
}

fn values_of(algorithm: Algorithm, key: &Key128, values: &Values) -> Result<Value, Bad> {
    let rs = values.rs.as_deref().ok_or_else(|| Bad::new("--rs is needed"))?;
    let challenge =
        |name: &str, value: &Option<String>| value.as_deref().map(|text| array(name, text)).transpose();
    let rand_f: Option<[u8; 8]> = challenge("--rand-f", &values.rand_f)?;
    let rand_p: Option<[u8; 8]> = challenge("--rand-p", &values.rand_p)?;
    let (ks, ks_reverse, res1, dck, res2) = match algorithm {
        Algorithm::Dsaa => {
            let rs = array("--rs", rs)?;
            let (ks, ks_reverse) = (dsaa::a11(key, rs), dsaa::a21(key, rs));
            let first = rand_f.map(|rand_f| dsaa::a12(&ks, rand_f));
            let res2 = rand_p.map(|rand_p| dsaa::a22(&ks_reverse, rand_p));
            let (res1, dck) = first.map(|(res, dck)| (res, hex(dck.octets()))).unzip();
            (ks, ks_reverse, res1, dck, res2)
        }
        Algorithm::Dsaa2 => {
            let rs = array("--rs", rs)?;
            let (ks, ks_reverse) = (dsaa2::a11(key, rs), dsaa2::a21(key, rs));
            let both = rand_f.zip(rand_p);
            let first = both.map(|(rand_f, rand_p)| dsaa2::a12(&ks, rand_f, rand_p));
            let res2 = both.map(|(rand_f, rand_p)| dsaa2::a22(&ks_reverse, rand_p, rand_f));
            let (res1, dck) = first.map(|(res, dck)| (res, hex(dck.octets()))).unzip();
            (ks, ks_reverse, res1, dck, res2)
        }
    };
    Ok(json!({
        "ok": true,
        "ks": hex(ks.octets()),
        "res1": res1.map(|res| hex(&res)),
        "dck": dck,
        "ks_reverse": hex(ks_reverse.octets()),
        "res2": res2.map(|res| hex(&res)),
    }))
}

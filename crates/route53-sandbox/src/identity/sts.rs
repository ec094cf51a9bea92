//! The Security Token Service: AssumeRole and AssumeRoleWithWebIdentity, as form in and XML out.

use std::collections::HashMap;

use crate::clock::Stamp;
use crate::zone::Refusal;

use super::keys::{Caller, Keys, token};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const LIFE_MILLIS: u64 = 3_600_000;

/// Answers one form; `caller` is who signed it, if anybody did.
pub fn answer(
    form: &HashMap<String, String>,
    caller: Option<Caller>,
    keys: &mut Keys,
    now: Stamp,
) -> Result<String, Refusal> {
    let text = |name: &str| form.get(name).filter(|text| !text.is_empty()).cloned();
    let missing =
        |name: &str| Refusal::InvalidInput(format!("The request must contain the parameter {name}."));
    let needed = |name: &str| text(name).ok_or_else(|| missing(name));
    if text("Version").as_deref() != Some("2011-06-15") {
        return Err(missing("Version"));
    }
    let (how, proof, by) = match needed("Action")?.as_str() {
        "AssumeRole" => {
            let caller = caller.ok_or(Refusal::MissingAuthenticationToken)?;
            keys.check(&caller)?;
            ("AssumeRole", text("ExternalId"), Some(caller.key_id))
        }
        "AssumeRoleWithWebIdentity" => ("AssumeRoleWithWebIdentity", Some(needed("WebIdentityToken")?), None),
        _ => return Err(Refusal::UnknownOperation),
    };
    let (role, session) = (needed("RoleArn")?, needed("RoleSessionName")?);
    let name = role.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    let Some((account, name)) = name.map(|(account, name)| (account.to_owned(), name.to_owned())) else {
        return Err(Refusal::InvalidInput(format!("{role} is invalid")));
    };
    let key_id = keys.issue(how, (role, session.clone()), proof, by);
    Ok(document(how, &key_id, &format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"), now))
}

fn document(how: &str, key_id: &str, arn: &str, now: Stamp) -> String {
    let expires = Stamp(now.0 + LIFE_MILLIS);
    let token = token(key_id);
    format!(
        "<{how}Response xmlns=\"{NAMESPACE}\"><{how}Result><AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>AROA:s\
         </AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>secret-of-\
         {key_id}</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>{expires}</Expiration></Credentials>\
         </{how}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{how}Response>",
        quick_xml::escape::escape(arn)
    )
}

/// The document of a refused request: the service has a namespace of its own.
pub fn refusal(refusal: &Refusal) -> String {
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>",
        refusal.code(),
        quick_xml::escape::escape(refusal.to_string())
    )
}

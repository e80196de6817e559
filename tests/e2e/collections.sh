#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sources that are more than a file: TAXII 2.1 collections and MISP feeds, from a real server over TLS, good and bad; and the way there through a
# proxy. What has changed is asked for and nothing else; whatever goes wrong, the last good copy stays in force.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
server=203.0.113.80
intel=$lab_dir/intel
collection=91a7b528-80eb-42ed-a74d-c6fbd5a26116
mkdir -p "$intel/misp"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=feeds.example \
	-addext "subjectAltName=IP:$server,DNS:feeds.example,DNS:localhost" -keyout "$lab_dir/key.pem" -out "$lab_dir/certificate.pem" 2>/dev/null
serve() { # namespace program arguments: in the background
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@" </dev/null >>"$lab_dir/intel.log" 2>&1 &
	lab_pids+=($!)
}
serve "$lab_net" "$here/intel.py" "$intel" "$server" 8443 "$lab_dir/certificate.pem" "$lab_dir/key.pem"
serve "$lab_gw" "$here/intel.py" "$intel" 127.0.0.1 8443 "$lab_dir/certificate.pem" "$lab_dir/key.pem" # localhost
lab_wait "the server" in_gw ncat -z "$server" 8443
lab_wait "its other name" in_gw ncat -z 127.0.0.1 8443
lab_daemon_start || exit 1

source_is() { khien source show "$1" --json | json "d['source']['$2']"; }
values() { khien list --json --ref "source/$1" | json "' '.join(sorted(i['value'] for i in d['indicators'] if i['state'] in ('enforced', 'monitored')))"; }
state() { khien list --json --ref "source/$1" | json "[i['state'] for i in d['indicators'] if i['value'] == '$2']"; }
waits() { khien review "source/$1" --json | json "[i['value'] for i in d['indicators']]"; }
changes() { khien history --json | json "d['changes'][0]['id'] if d['changes'] else 0"; } # the number of the last
forget() { : >"$intel/requests"; }
asked() { grep -c -- "$1" "$intel/requests"; }
add() { # name path options: of the server, which is trusted
	local name=$1 path=$2
	shift 2
	khien source add "$name" "https://$server:8443$path" --authority "$lab_dir/certificate.pem" "$@" >/dev/null
}
gone() { khien source remove "$1" >/dev/null; }
fails() { # description name path words options: the refresh fails, with these words
	local what=$1 name=$2 path=$3 words=$4
	shift 4
	add "$name" "$path" "$@"
	runs "$what" 1 khien source refresh "$name"
	contains "… in words" "$words" "$(source_is "$name" problem)"
}

# ---- A TAXII collection -------------------------------------------------------------------------------

objects() { # lines "added id modified value [revoked]"
	python3 - "$intel/objects.json" 3<&0 <<-'END'
		import json, os, sys
		entries = []
		for line in os.fdopen(3):
		    added, number, modified, value, *more = line.split()
		    entries.append({"added": f"2023-01-{added}:00Z", "object": {
		        "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{int(number):012d}",
		        "created": "2023-01-01T00:00:00.000Z", "modified": f"2023-01-{modified}:00.000Z", "name": "x" * 50, "pattern_type": "stix",
		        "pattern": f"[ipv4-addr:value = '{value}']", "valid_from": "2023-01-01T00:00:00Z", **({"revoked": True} if more else {})}})
		entries.append({"added": "2023-01-01T00:00:00Z", "object": {"type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-000000000001",
		    "created": "2023-01-01T00:00:00.000Z", "modified": "2023-01-01T00:00:00.000Z", "name": "m", "is_family": False}})
		json.dump(entries, open(sys.argv[1], "w"))
	END
}
first_five() {
	cat <<-END
		02T00:00 1 02T00:00 203.0.113.1
		03T00:00 2 03T00:00 203.0.113.2
		04T00:00 3 04T00:00 203.0.113.3
		05T00:00 4 05T00:00 203.0.113.4
		06T00:00 5 06T00:00 203.0.113.5
	END
}
first_five | objects
runs "an unknown kind is refused" 2 khien source add x "https://$server:8443/" --kind stix
runs "a policy for MISP is refused of TAXII" 2 khien source add x "https://$server:8443/" --kind taxii --without-to-ids take
forget
add cti /taxii2/ --kind taxii
runs "from the discovery of a server with one collection that may be read" 0 khien source refresh cti
is "all of its pages" "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5" "$(values cti)"
whole='objects/?limit=1000&match%5btype%5d=indicator\(&next=page-[0-9]*\)\? 200' # a page of all, for indicators only
is "by three requests" 3 "$(asked "/one/collections/$collection/$whole")" # whether it was fetched once or, by itself, twice
is "it says what it is" taxii "$(source_is cti kind)"
khien source promote cti >/dev/null
is "it blocks" "['enforced']" "$(state cti 203.0.113.5)"

forget
before=$(changes)
runs "nothing new" 0 khien source refresh cti
is "is asked for by time" 1 "$(asked 'objects/?.*added_after=2023-01-06T00%3a00%3a00Z')"
is "in one request" 1 "$(asked 'objects/')"
is "and changes nothing" "$before" "$(changes)"

{
	first_five
	echo 07T00:00 6 07T00:00 203.0.113.6
	echo 07T00:01 2 07T00:00 203.0.113.22
	echo 07T00:02 3 07T00:00 203.0.113.3 revoked
	echo 07T00:03 4 01T00:00 203.0.113.44
} | objects
forget
runs "one comes, one is another, one is revoked, one comes again in an older form" 0 khien source refresh cti
is "the four are fetched and no others" 2 "$(asked 'added_after=2023-01-06')"
is "and brought together with the five" "203.0.113.1 203.0.113.22 203.0.113.4 203.0.113.5 203.0.113.6" "$(values cti)"
is "in one change" $((before + 1)) "$(changes)"
is "what is revoked waits for nobody" "[]" "$(waits cti)"

lab_daemon_stop TERM
lab_daemon_start || exit 1
forget
runs "after a restart" 0 khien source refresh cti
is "the same is known" 1 "$(asked 'added_after=2023-01-07T00%3a03%3a00Z')"

echo x >>"$lab_dir/state/sources/cti"
forget
runs "a kept copy that was tampered with" 0 khien source refresh cti
is "is not trusted: all is fetched" 5 "$(asked "$whole")"
is "and is the same" "203.0.113.1 203.0.113.22 203.0.113.4 203.0.113.5 203.0.113.6" "$(values cti)"
forget
khien source refresh cti >/dev/null
is "and kept again" 1 "$(asked 'added_after=')"

# what a server deletes is in no difference: once a day all is fetched
first_five | sed -e 1d | objects
forget
khien source refresh cti >/dev/null
contains "what the server deleted is not missed at once" "203.0.113.1 " "$(values cti)"
age_copy() { # the last fetch of all of it was a day ago
	lab_daemon_stop TERM
	python3 - "$lab_dir/state" "$1" <<-'END'
		import hashlib, re, sqlite3, sys
		path = f"{sys.argv[1]}/sources/{sys.argv[2]}"
		text = open(path).read()
		text = re.sub(r'"whole":(\d+)', lambda found: f'"whole":{int(found[1]) - 86400}', text, count=1)
		open(path, "w").write(text)
		ledger = sqlite3.connect(f"{sys.argv[1]}/ledger.db")
		ledger.execute("UPDATE sources SET digest = ? WHERE name = ?", (hashlib.sha256(text.encode()).hexdigest(), sys.argv[2]))
		ledger.commit()
	END
	lab_daemon_start || exit 1
}
age_copy cti
runs "a day later" 0 khien source refresh cti
is "it is" "203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5" "$(values cti)"
gone cti
is "nothing is kept of what is removed" "" "$(ls "$lab_dir/state/sources")"

first_five | objects
for way in "/one/" "/one/collections/" "/one/collections/$collection" "/one/collections/$collection/" "/one/collections/$collection/objects/" "/time/collections/$collection/" \
	"/bare/collections/$collection/"; do
	add way "$way" --kind taxii
	runs "by $way" 0 khien source refresh way
	is "… the same" "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5" "$(values way)"
	case "$way" in
	/bare/*)
		forget
		before=$(changes)
		khien source refresh way >/dev/null
		is "a server that does not say how far is asked for all of it" 3 "$(asked 'objects/')"
		is "which changes nothing" "$before" "$(changes)"
		;;
	esac
	gone way
done

printf 'token = bi-mat-2\n' >"$lab_dir/token"
chmod 0600 "$lab_dir/token"
add token "/token/" --kind taxii --credentials "$lab_dir/token"
runs "with a token" 0 khien source refresh token
is "every request brought it" 0 "$(grep -c '^/token/.* 200$' "$intel/requests")"
gone token
forget
add other /taxii2-other/ --kind taxii --credentials "$lab_dir/token"
runs "a root at another server" 0 khien source refresh other
is "is given no secret" "0 0" "$(grep '^/one/' "$intel/requests" | grep -c credentials) $(grep '^/taxii2-other/' "$intel/requests" | grep -vc credentials)"
gone other

add many /taxii2-many/ --kind taxii
runs "of two collections none is guessed" 1 khien source refresh many
contains "both are named" "$collection \"Máy chủ điều khiển\"" "$(source_is many problem)"
contains "… both" '52892447-4d7e-4f70-b94d-d7f22742ff63 "Spam"' "$(source_is many problem)"
contains "and how to say which" "https://$server:8443/many/collections/ID/" "$(source_is many problem)"
gone many
while IFS='|' read -r what path words; do
	fails "$what" bad "$path" "$words" --kind taxii
	gone bad
done <<-END
	no collection that may be read|/taxii2-none/|no collection there may be read
	a server that asks for credentials|/token/collections/$collection/|credentials
	a server that does not speak TAXII 2.1|/old/|does not speak TAXII 2.1
	a server of TAXII 2.0|/two/|speaks TAXII 2.0
	a web page|/html/|this is not an answer of TAXII 2.1
	a collection that is not there|/one/collections/none/|404
	pages in a circle|/circle/collections/$collection/|in a circle
	pages without an end|/endless/collections/$collection/|do not end
	more, and no word how|/stuck/collections/$collection/|does not say how
	a page that unpacks to 200 MB|/bomb/collections/$collection/|more than
END
fails "more values than allowed" small "/one/" "more than 2" --kind taxii --max-values 2
gone small
fails "more bytes than allowed" small "/one/" "more than" --kind taxii --max-size 600
gone small

add kept "/one/" --kind taxii --drop
khien source refresh kept >/dev/null
echo '{' >"$intel/objects.json"
runs "a server out of order" 1 khien source refresh kept
is "takes nothing out of force" "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5" "$(values kept)"
gone kept

# ---- A MISP feed --------------------------------------------------------------------------------------

event() { # number timestamp value to_ids [value]: an event, and its line in the manifest
	python3 - "$intel/misp" "$@" <<-'END'
		import json, os, sys
		folder, number, stamp, value, marked, *more = sys.argv[1:]
		uuid = f"5a5b0000-0000-4000-8000-{int(number):012d}"
		attributes = [{"type": "ip-dst", "value": value, "to_ids": marked == "true", "data": "A" * 5000, "comment": "c"}]
		event = {"uuid": uuid, "info": f"Sự kiện {number}", "date": "2023-01-21", "timestamp": stamp, "Orgc": {"name": "CERT"}, "Attribute": attributes,
		         "Object": [{"name": "network-connection", "Attribute": [{"type": "ip-dst", "value": v, "to_ids": True}]} for v in more]}
		json.dump({"Event": event}, open(f"{folder}/{uuid}.json", "w"))
		path = f"{folder}/manifest.json"
		manifest = json.load(open(path)) if os.path.exists(path) else {}
		manifest[uuid] = {"Orgc": {"name": "CERT"}, "info": event["info"], "timestamp": stamp, "date": "2023-01-21"}
		json.dump(manifest, open(path, "w"))
	END
}
event 1 1600000001 198.51.100.1 true
event 2 1600000002 198.51.100.2 true 198.51.100.22
event 3 1600000003 198.51.100.3 false
forget
add misp /misp/ --kind misp --drop
runs "a feed, by its folder" 0 khien source refresh misp
is "what is marked is blocked" "198.51.100.1 198.51.100.2 198.51.100.22" "$(values misp)"
is "what is not waits" "['198.51.100.3']" "$(waits misp)"
is "by four requests" 4 "$(asked 200)"
forget
before=$(changes)
runs "nothing new" 0 khien source refresh misp
is "is one request, answered 304" "/misp/manifest.json 304" "$(cat "$intel/requests")"
is "and changes nothing" "$before" "$(changes)"
event 2 1600000009 198.51.100.29 true
python3 - "$intel/misp/manifest.json" <<-'END'
	import json, sys
	manifest = json.load(open(sys.argv[1]))
	del manifest["5a5b0000-0000-4000-8000-000000000001"]
	json.dump(manifest, open(sys.argv[1], "w"))
END
event 4 1600000010 198.51.100.4 true
forget
runs "one event changes, one goes, one comes" 0 khien source refresh misp
is "those of before are withdrawn, the new ones blocked" "198.51.100.29 198.51.100.4" "$(values misp)"
is "the manifest and two events are fetched" 3 "$(asked 200)"
is "in one change" $((before + 1)) "$(changes)"

event 5 1600000011 198.51.100.5 true
event 2 1600000012 198.51.100.30 true
echo '{ "Event": ' >"$intel/misp/5a5b0000-0000-4000-8000-000000000002.json"
rm "$intel/misp/5a5b0000-0000-4000-8000-000000000005.json"
event 6 1600000013 198.51.100.6 true
runs "an event that is broken and one that is missing" 3 khien source refresh misp
is "do not hold up the others; what was kept of them stays" "198.51.100.29 198.51.100.4 198.51.100.6" "$(values misp)"
contains "it says so" "could not be read: 2 of 5" "$(source_is misp problem)"
is "and is no failure" 0 "$(source_is misp failures)"
event 2 1600000012 198.51.100.30 true
event 5 1600000011 198.51.100.5 true
forget
runs "they are asked for again" 0 khien source refresh misp
is "and read" "198.51.100.30 198.51.100.4 198.51.100.5 198.51.100.6" "$(values misp)"
is "these two only" 3 "$(asked 200)"
is "then nothing is missing" None "$(source_is misp problem)"
gone misp

add all /misp/manifest.json --kind misp --without-to-ids take
khien source refresh all >/dev/null
is "the policy takes what is not marked" "['monitored']" "$(state all 198.51.100.3)"
gone all
add marked /misp/manifest.json --kind misp --without-to-ids skip
khien source refresh marked >/dev/null
is "or leaves it out" "[] []" "$(state marked 198.51.100.3) $(waits marked)"
gone marked
fails "a manifest that is none" bad "/misp/5a5b0000-0000-4000-8000-000000000006.json" "not the manifest of a MISP feed" --kind misp
gone bad
fails "a feed that is not there" bad "/misp/none.json" "404" --kind misp
gone bad
echo '{"5a5b0000-0000-4000-8000-000000000009": {"timestamp": "1"}}' >"$intel/misp/lonely.json"
fails "a feed of which no event is there" bad "/misp/lonely.json" "404" --kind misp
gone bad

# ---- Through a proxy ----------------------------------------------------------------------------------

proxy=198.51.100.90
first_five | objects
serve "$lab_net" "$here/proxy.py" "$intel" "$proxy" 3128 "$server"
serve "$lab_net" "$here/proxy.py" "$intel" "$proxy" 3129 "$server" "phong:bi-mat-3"
lab_wait "the proxy" in_gw ncat -z "$proxy" 3128
lab_wait "the other proxy" in_gw ncat -z "$proxy" 3129
named() { # name options: the feed, by a name that only the proxy knows
	local name=$1
	shift
	khien source add "$name" "https://feeds.example:8443/misp/" --kind misp --authority "$lab_dir/certificate.pem" "$@" >/dev/null
}
runs "a proxy that is none is refused" 2 khien source add x "https://$server:8443/" --proxy ftp://proxy.example:21
runs "a password in its address is refused" 2 khien source add x "https://$server:8443/" --proxy http://phong:bi-mat-3@proxy.example:3128
runs "its credentials without it are refused" 2 khien source add x "https://$server:8443/" --proxy-credentials "$lab_dir/token"
for way in http socks5h; do
	named "by-$way" --proxy "$way://$proxy:3128"
	runs "by $way" 0 khien source refresh "by-$way"
	is "… all of it" 5 "$(source_is "by-$way" values)"
	gone "by-$way"
done
is "the proxy resolved the name" "http feeds.example:8443 socks feeds.example:8443" "$(sort -u "$intel/proxied" | tr '\n' ' ' | sed 's/ $//')"
khien source add stranger "https://feeds.example:8443/misp/" --kind misp --proxy "http://$proxy:3128" >/dev/null
runs "the server behind it is verified still" 1 khien source refresh stranger
contains "and refused" "certificate is not trusted" "$(source_is stranger problem)"
gone stranger

printf 'user = phong\npassword = bi-mat-3\n' >"$lab_dir/proxy"
chmod 0600 "$lab_dir/proxy"
named closed --proxy "http://$proxy:3129"
runs "a proxy that asks for credentials" 1 khien source refresh closed
contains "is named" "the proxy answered with status 407" "$(source_is closed problem)"
gone closed
for way in http socks5h; do
	named "closed-$way" --proxy "$way://$proxy:3129" --proxy-credentials "$lab_dir/proxy"
	runs "it gets them by $way" 0 khien source refresh "closed-$way"
	gone "closed-$way"
done
named token --proxy "http://$proxy:3129" --proxy-credentials "$lab_dir/token"
runs "a token is nothing for a proxy" 1 khien source refresh token
gone token
named dead --proxy "http://$proxy:3130"
runs "a proxy that is not there" 1 khien source refresh dead
contains "is named" "cannot be reached" "$(source_is dead problem)"
gone dead

printf '[sources]\nproxy = http://%s:3129\nproxy_credentials = %s\n' "$proxy" "$lab_dir/proxy" >>"$lab_dir/khien.conf"
lab_daemon_stop TERM
lab_daemon_start || exit 1
: >"$intel/proxied"
named office
runs "the proxy of the configuration" 0 khien source refresh office
is "is used" "http feeds.example:8443" "$(sort -u "$intel/proxied")"
: >"$intel/proxied"
add direct /misp/ --kind misp --proxy none
runs "unless a source says none" 0 khien source refresh direct
is "then it is not" "" "$(cat "$intel/proxied")"
is "no secret is in the log" 0 "$(grep -c 'bi-mat' "$lab_dir/khiend.log")"
is "nor in the ledger or what is kept" 0 "$(cat "$lab_dir"/state/* "$lab_dir"/state/sources/* 2>/dev/null | grep -ac 'bi-mat')"
finish

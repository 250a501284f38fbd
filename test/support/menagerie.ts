/** A schema with one of everything that state can be, in every combination of who sees and who writes it. */
export const MENAGERIE = `
keyword interp_linear interp_angle interp_hermite interp_quat unreliable;
typedef uint8(0-100) percent;
struct Vec3 { int16/100 x; int16/100 y; int32/1000(-4000 - 4000) z; };
struct Quat { int16/10000(-1 - 1) x; int16/10000(-1 - 1) y; int16/10000(-1 - 1) z; int16/10000(-1 - 1) w; };
struct Item { string(0-12) label; uint16 count; };
struct Wide { int64 low; uint64 high; float64 real; };

dclass Node { Vec3 position broadcast ram ownsend interp_linear; };

dclass Avatar : Node {
  string(0-24) name required broadcast ram;
  int16/10%360 heading broadcast ram ownsend interp_angle;
  Quat turn broadcast ram ownsend interp_quat;
  percent health = 100 broadcast ram;
  uint16 gold ownrecv;
  string(0-40) secret ownrecv;
  string(0-24) motto broadcast ram ownsend;
  uint16 aim ownrecv ownsend;
  uint8(1-3, 7, 9-11) gait = 2 broadcast ram;
  uint32 internal airecv;
  string(0-40) notes db;
  say(string(1-200) text) ownsend;
  said(string(1-200) text) broadcast;
  wave(uint8(0-3) kind) clsend unreliable;
  whisper(string(0-600) text) ownrecv;
};

dclass Crate : Node {
  float64 weight broadcast;
  int64 serial broadcast;
  uint64 seal ownrecv ownsend;
  uint8 contents[] broadcast;
  uint8 open broadcast;
  blob bytes broadcast ownsend;
  Item items[0-4] broadcast ownsend;
  opened(uint8 by, int32/100 when) broadcast unreliable;
};

dclass Flag { uint8(0-1) up broadcast ram; };
dclass Tagged { uint32 number = 4000000000 broadcast ram; char letter broadcast ram; };
dclass Banner : Flag, Tagged { int8/2 lift broadcast ram ownsend interp_hermite; uint16/10%25 phase broadcast ram; };

dclass Engine {
  Wide wide broadcast ram ownsend;
  float64(-5 - 5) thrust broadcast ram ownsend;
  int32/7 odd broadcast ram;
  int16 grid[4] broadcast ram;
  switch (uint8) {
    case 0: string(0-8) text; break;
    case 1: Item item; break;
    case 2: int16 x; int16 y; break;
  } mode broadcast ram;
};

// So few values that the same one is often written again: over another's, after a loss, in a new epoch.
dclass Lever { uint8(0-1) on broadcast ram ownsend; };
dclass Note { uint8(0-1) marks[0-1] broadcast ram ownsend; };

dclass Purse { uint32 coins ownrecv; string(0-20) hint ownrecv ownsend; };
`

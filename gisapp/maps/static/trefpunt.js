/* Draws a scene (geometry, once) and paints it (classes, as often as wanted) on a Leaflet map.
   Everything is canvas; pointing is answered by looking up squares, homes and places, not by 20,000 listeners. */
(function () {
  "use strict";

  var PANES = ["ground", "cells", "homes", "built", "streets", "pick", "marks", "names"];
  var GROUND = { land: "#f3efe6", green: "#d5dfc2", water: "#c9d6db", buildings: "#d8d0c2" };
  var WIDTHS = [6.5, 5.2, 3.6, 1.3]; // of streets, in pixels at zoom 16
  var FROM_ZOOM = [9, 11.5, 13, 15.75]; // ranks appear
  var BUILT_FROM = 14;
  var HOMES_FROM = 16.25;
  var BUCKET = 0.002; // degrees: how squares and homes are sorted for looking up

  function hatch() {
    var tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    var ctx = tile.getContext("2d");
    ctx.fillStyle = "rgba(255, 255, 255, .55)";
    ctx.fillRect(0, 0, 8, 8);
    ctx.strokeStyle = "#6d6d66";
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(function (l) {
      ctx.moveTo(l[0], l[1]);
      ctx.lineTo(l[2], l[3]);
    });
    ctx.stroke();
    return ctx.createPattern(tile, "repeat");
  }

  function flip(ring) {
    return ring.map(function (c) { return L.latLng(c[1], c[0]); });
  }

  /* GeoJSON polygons as Leaflet takes them: a list of polygons, each a list of rings. */
  function rings(geometry) {
    if (!geometry) return [];
    var polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    return polygons.map(function (polygon) { return polygon.map(flip); });
  }

  function lines(geometry) {
    if (!geometry) return [];
    return geometry.type === "LineString" ? [flip(geometry.coordinates)] : geometry.coordinates.map(flip);
  }

  function inRing(point, ring) {
    var inside = false;
    for (var i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      var a = ring[i], b = ring[j];
      if ((a.lat > point.lat) !== (b.lat > point.lat) &&
          point.lng < (b.lng - a.lng) * (point.lat - a.lat) / (b.lat - a.lat) + a.lng) inside = !inside;
    }
    return inside;
  }

  /* Finds which of many polygons holds a point. */
  function Finder(shapes) {
    var buckets = {};
    shapes.forEach(function (polygons, number) {
      var box = L.latLngBounds(polygons.length ? polygons[0][0] : []);
      if (!box.isValid()) return;
      for (var y = Math.floor(box.getSouth() / BUCKET); y <= Math.floor(box.getNorth() / BUCKET); y++) {
        for (var x = Math.floor(box.getWest() / BUCKET); x <= Math.floor(box.getEast() / BUCKET); x++) {
          (buckets[y + "/" + x] = buckets[y + "/" + x] || []).push(number);
        }
      }
    });
    this.at = function (point) {
      var near = buckets[Math.floor(point.lat / BUCKET) + "/" + Math.floor(point.lng / BUCKET)] || [];
      for (var i = 0; i < near.length; i++) {
        if (shapes[near[i]].some(function (polygon) { return inRing(point, polygon[0]); })) return near[i];
      }
      return -1;
    };
  }

  function state(map) {
    map.trefpunt = map.trefpunt || { scene: null, paint: null, layers: {}, renderers: {} };
    return map.trefpunt;
  }

  function renderer(map, pane) {
    var own = state(map).renderers;
    own[pane] = own[pane] || L.canvas({ pane: "trefpunt-" + pane, padding: 0.25 });
    return own[pane];
  }

  function area(map, pane, shape, fill, more) {
    return L.polygon(shape, L.extend({
      renderer: renderer(map, pane), interactive: false, stroke: false, fill: true, fillColor: fill,
      fillOpacity: 1, fillRule: "nonzero", smoothFactor: 0.5
    }, more)).addTo(map);
  }

  function drawGround(map, scene) {
    var layers = state(map).layers;
    ["land", "green", "water"].forEach(function (name) {
      layers[name] = area(map, "ground", rings(scene[name]), GROUND[name]);
    });
    layers.buildings = area(map, "built", rings(scene.buildings), GROUND.buildings, { fillOpacity: 0.55 }).remove();
    layers.homesOutline = area(map, "built", [].concat.apply([], scene.homes.map(rings)), "#6b6252",
      { fillOpacity: 0.3 }).remove();
    if (scene.borders) layers.borders = L.polyline(lines(scene.borders), {
      renderer: renderer(map, "streets"), interactive: false, color: "#4a4439", weight: 1, opacity: 0.55,
      dashArray: "1 3"
    }).addTo(map);
    layers.boundary = L.polyline(lines(scene.boundary), {
      renderer: renderer(map, "streets"), interactive: false, color: "#8b8579", weight: 1.4,
      dashArray: "7 4 1.5 4", opacity: 0.8
    }).addTo(map);
    layers.casings = [];
    layers.streets = scene.streets.map(function (geometry, rank) {
      var shape = lines(geometry), common = { renderer: renderer(map, "streets"), interactive: false, smoothFactor: 0.6 };
      if (rank < 3) layers.casings[rank] = L.polyline(shape, L.extend({ color: "#b9b2a3", opacity: 0.55 }, common));
      return L.polyline(shape, L.extend({ color: "#ffffff" }, common));
    });
  }

  function show(map, layer, seen) {
    if (layer && seen !== map.hasLayer(layer)) (seen ? layer.addTo(map) : layer.remove());
  }

  /* What is not seen is taken off the map: a layer that stays is projected anew at every zoom. */
  function showStreets(map, zoom) {
    var layers = state(map).layers, wanted = [], ranks = FROM_ZOOM.map(function (from) { return zoom >= from; });
    layers.casings.forEach(function (line, rank) { if (ranks[rank] && zoom >= 14.5) wanted.unshift(line); });
    for (var rank = 3; rank >= 0; rank--) if (ranks[rank]) wanted.push(layers.streets[rank]); // main streets on top
    var now = wanted.map(L.stamp).join();
    if (now === state(map).streetsShown) return;
    state(map).streetsShown = now;
    layers.casings.concat(layers.streets).forEach(function (line) { line.remove(); });
    wanted.forEach(function (line) { line.addTo(map); });
  }

  /* Widths and what is seen follow the zoom, as on a series of printed maps of different scale. */
  function fitToZoom(map) {
    var own = state(map), layers = own.layers, zoom = map.getZoom();
    layers.streets.forEach(function (line, rank) {
      var width = Math.max(rank < 2 ? 1 : 0.7, Math.min(WIDTHS[rank] * Math.pow(2, zoom - 16), WIDTHS[rank] * 3));
      L.setOptions(line, { weight: width, opacity: rank < 2 || zoom >= 15.5 ? 0.95 : 0.75 });
      if (layers.casings[rank]) L.setOptions(layers.casings[rank], { weight: width + 1.2 });
    });
    showStreets(map, zoom);
    var close = zoom >= HOMES_FROM && own.homes.length > 0 && /\d/.test(own.paint ? own.paint.homes : "");
    if (close && own.homesPaint !== own.paint) {
      own.homesPaint = own.paint;
      paintAreas(map, "homes", own.homes, own.paint.homes, own.paint.colours);
    }
    Object.keys(layers.homes || {}).forEach(function (code) { show(map, layers.homes[code], close); });
    map.getPane("trefpunt-cells").style.opacity = close ? 0.25 : 0.74;
    show(map, layers.buildings, zoom >= BUILT_FROM);
    show(map, layers.homesOutline, zoom >= BUILT_FROM && !close);
    (own.marks || []).forEach(function (mark) {
      L.setOptions(mark, { weight: zoom < 13 ? 0.2 : zoom < 14 ? 0.5 : zoom < 15.5 ? 0.9 : 1.3 });
      mark.setRadius(markRadius(mark.size, zoom));
    });
  }

  function markRadius(size, zoom) {
    return (1.6 + 3.9 * size) * Math.max(0.3, Math.min(2.2, 1 + (zoom - 15) * 0.3));
  }

  function drawMarks(map, scene) {
    var m = scene.marks, order = m.ids.map(function (_, i) { return i; });
    order.sort(function (a, b) { return m.size[b] - m.size[a]; }); // small ones on top
    state(map).marks = order.map(function (i) {
      var mark = L.circleMarker([m.lat[i], m.lng[i]], {
        renderer: renderer(map, "marks"), interactive: false, weight: 1.2, opacity: 1, fillOpacity: 1
      });
      mark.size = m.size[i];
      mark.number = i;
      return mark;
    });
  }

  function paintAreas(map, pane, shapes, codes, colours) {
    var own = state(map), layers = own.layers[pane] = own.layers[pane] || {};
    own.hatch = own.hatch || hatch();
    var groups = {};
    for (var i = 0; i < codes.length; i++) (groups[codes[i]] = groups[codes[i]] || []).push(shapes[i]);
    Object.keys(L.extend({}, layers, groups)).forEach(function (code) {
      var shape = [].concat.apply([], groups[code] || []), fill = code === "-" ? own.hatch : colours[code];
      if (layers[code]) layers[code].setLatLngs(shape).setStyle({ fillColor: fill });
      else layers[code] = area(map, pane, shape, fill);
    });
  }

  function paintMarks(map, scene, paint) {
    state(map).marks.forEach(function (mark) {
      var seen = paint.shown[scene.marks.kind[mark.number]], colour = paint.mark_colours[paint.marks[mark.number]];
      // A light mark needs a dark rim to be seen, a dark one a light rim to be told from the squares.
      if (mark.options.fillColor !== colour) mark.setStyle({ fillColor: colour, color: colour === "#ffffff" ? "#4a4a44" : "#ffffff" });
      if (seen !== map.hasLayer(mark)) (seen ? mark.addTo(map) : mark.remove());
    });
  }

  function showTiles(map, wanted) {
    var own = state(map);
    if (!own.tiles && !wanted) return;
    own.tiles = own.tiles || L.tileLayer("https://tile.openstreetmap.org/{z}/{x}/{y}.png", { maxZoom: 19, opacity: 0.75 })
      .on("tileload", function () { step(map, true); }); // our own ground steps aside only for tiles that came
    if (wanted) own.tiles.addTo(map);
    else { own.tiles.remove(); step(map, false); }
  }

  function step(map, aside) {
    ["ground", "built", "streets", "names"].forEach(function (pane) {
      map.getPane("trefpunt-" + pane).style.display = aside ? "none" : "";
    });
  }

  function found(map, point) {
    var own = state(map), at = map.latLngToLayerPoint(point), best = null, room = Infinity;
    own.marks.forEach(function (mark) {
      if (!map.hasLayer(mark)) return;
      var over = at.distanceTo(map.latLngToLayerPoint(mark.getLatLng())) - Math.max(mark.getRadius(), 5);
      if (over < 2 && over <= room) { room = over; best = mark; }
    });
    if (best) return { type: "place", number: best.number };
    var cell = own.cellFinder.at(point);
    return cell < 0 ? null : { type: "cell", number: cell };
  }

  function people(paint, number) {
    var form = new Intl.PluralRules(paint.language).select(number) === "one" ? "one" : "other";
    return paint.people[form].replace("{}", number.toLocaleString(paint.language));
  }

  function tip(own, what) {
    var box = document.createElement("div"), scene = own.scene, paint = own.paint;
    function add(tag, text) { if (text) box.appendChild(document.createElement(tag)).textContent = text; }
    if (what.type === "place") {
      var kind = paint.kinds[scene.marks.kind[what.number]];
      add("b", scene.marks.name[what.number] || kind);
      if (scene.marks.name[what.number]) add("span", kind);
      add("span", paint.mark_texts[paint.marks[what.number]]);
    } else {
      add("b", paint.title + ": " + paint.cell_texts[what.number]);
      if (paint.view !== "residents") add("span", people(paint, scene.residents[what.number]));
    }
    return box;
  }

  function follow(map) {
    var own = state(map), bubble = L.tooltip({ className: "trefpunt-tip", direction: "top", offset: [0, -6], opacity: 1 });
    map.on("mousemove", function (event) {
      var what = own.paint && found(map, event.latlng);
      map.getContainer().classList.toggle("trefpunt-hand", !!what);
      if (!what) { map.closeTooltip(bubble); return; }
      map.openTooltip(bubble.setLatLng(event.latlng).setContent(tip(own, what)));
    });
    map.on("mouseout movestart zoomstart", function () { map.closeTooltip(bubble); });
    map.on("click", function (event) {
      var what = own.paint && found(map, event.latlng);
      if (what) pick(map, what);
    });
  }

  /* A pick is told as a drawn feature: that is how the page around the map hears of it. */
  function pick(map, what) {
    var own = state(map), isCell = what.type === "cell", m = own.scene.marks;
    var id = isCell ? own.scene.cell_ids[what.number] : m.ids[what.number];
    if (own.layers.pick) own.layers.pick.remove();
    own.layers.pick = isCell
      ? L.polygon(own.cells[what.number], { renderer: renderer(map, "pick"), interactive: false, fill: false, color: "#1f1f1c", weight: 2 })
      : L.circleMarker([m.lat[what.number], m.lng[what.number]], { renderer: renderer(map, "pick"), interactive: false, fill: false,
          color: "#1f1f1c", weight: 2, radius: markRadius(m.size[what.number], map.getZoom()) + 4 });
    own.layers.pick.addTo(map);
    map.fire("draw:created", { layerType: "pick", layer: { toGeoJSON: function () {
      return { type: "Feature", properties: { type: what.type, id: id }, geometry: null };
    } } });
  }

  function furnish(map) {
    var north = L.control({ position: "topright" });
    north.onAdd = function () {
      var box = L.DomUtil.create("div", "trefpunt-north");
      box.innerHTML = "<i></i>N";
      return box;
    };
    north.addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    map.attributionControl.setPrefix(false);
  }

  function note(map, name, value) {
    map.getContainer().setAttribute("data-" + name, value);
  }

  function begin(map, scene) {
    var own = state(map);
    own.scene = scene;
    map.invalidateSize();
    map.fitBounds(scene.bounds, { padding: [4, 4], animate: false });
    map.setMaxBounds(L.latLngBounds(scene.bounds).pad(1));
    own.cells = scene.cells.map(rings);
    own.homes = scene.homes.map(rings);
    own.cellFinder = new Finder(own.cells);
    drawGround(map, scene);
    drawMarks(map, scene);
    own.names = new L.TrefpuntNames(scene.names, { pane: "trefpunt-names" }).addTo(map);
    follow(map);
    map.on("zoomend", function () { fitToZoom(map); });
    note(map, "cells", own.cells.length);
    apply(map);
  }

  function apply(map) {
    var own = state(map), scene = own.scene, paint = own.paint;
    if (!scene || !paint) return;
    paintAreas(map, "cells", own.cells, paint.cells, paint.colours);
    paintMarks(map, scene, paint);
    showTiles(map, paint.tiles);
    fitToZoom(map);
    own.names.setPlaces(own.marks.filter(function (mark) { return map.hasLayer(mark); }), scene.marks.name);
    if (own.credit) map.attributionControl.removeAttribution(own.credit);
    var plain = document.createElement("span");
    plain.textContent = own.credit = paint.credit;
    own.credit = plain.innerHTML;
    map.attributionControl.addAttribution(own.credit);
    [".leaflet-control-zoom-in", ".leaflet-control-zoom-out"].forEach(function (button, i) {
      var link = map.getContainer().querySelector(button);
      if (!link) return;
      link.title = paint.zoom[i];
      link.setAttribute("aria-label", paint.zoom[i]);
    });
    note(map, "language", paint.language);
    note(map, "view", paint.view);
    note(map, "paints", (own.paints = (own.paints || 0) + 1));
  }

  window.trefpunt = {
    /* `scene` is the geometry itself, or the address of a file that holds it. */
    draw: function (map, scene) {
      PANES.forEach(function (name, i) {
        var pane = map.createPane("trefpunt-" + name);
        pane.classList.add("trefpunt-" + name + "-pane");
        pane.style.zIndex = 400 + 10 * i;
        pane.style.pointerEvents = "none";
      });
      if (map.getContainer().id === "map_div") { // inside the app: as large as its frame
        map.getContainer().style.height = "100vh";
        map.getContainer().style.width = "100%";
      }
      furnish(map);
      if (typeof scene !== "string") return begin(map, scene);
      fetch(scene).then(function (answer) {
        if (!answer.ok) throw new Error("The map's geometry did not arrive: " + answer.status);
        return answer.json();
      }).then(function (found) { begin(map, found); });
    },
    paint: function (map, paint) {
      state(map).paint = paint;
      apply(map);
    }
  };
})();

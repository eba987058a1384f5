/* global Databench, d3, mpld3, mpld3Figure */

const databench = Databench.connect();

/** The plugin: its points can be dragged, and where one is dropped is told to the analysis. */
function registerDrag() {
  class Drag extends mpld3.Plugin {
    draw() {
      const points = mpld3.get_element(this.props.id, this.fig);
      const drag = d3.drag().on('drag', function (d) {
        const { x, y } = d3.event;
        d[0] = points.ax.x.invert(x);
        d[1] = points.ax.y.invert(y);
        d3.select(this).attr('transform', `translate(${x},${y})`);
      }).on('end', (d, index) => databench.emit('move', { index, x: d[0], y: d[1] }));
      points.elements().style('cursor', 'grab').call(drag);
    }
  }
  Drag.prototype.requiredProps = ['id'];
  Drag.prototype.defaultProps = {};
  mpld3.register_plugin('drag', Drag);
}

mpld3Figure(databench, 'figure', registerDrag);
Databench.ui.wire(databench);
